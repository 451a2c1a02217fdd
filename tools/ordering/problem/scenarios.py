"""Disruption scenarios as sample paths: on a share of the paths a supplier is late or demand jumps.

A plan priced on such paths weighs each scenario by its probability; with a weight on the tail
(`OrderingSettings.cvar_weight`) it pays for a hedge against the worst of them.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from tools.domain.arrays import FloatArray, IntArray
from tools.domain.errors import BadInput
from tools.domain.orders import PurchaseOrder
from tools.domain.snapshots import PlanningSnapshot
from tools.ordering.problem.ingredients import DisruptionEffects
from tools.ordering.problem.quantities import TINY

NO_SCENARIO = -1
GOLDEN = (math.sqrt(5) - 1) / 2
"""Steps of this fraction spread any number of points evenly, and every n-th of them too (Weyl)."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """Something that happens with a probability, in the terms of `tools.network.Disruption`.

    No two scenarios happen on one path; what remains of the probability is the undisturbed course of things.
    """

    name: str
    probability: float
    effects: DisruptionEffects
    """Delays of new and open orders and what remains of capacity; what hits an offer comes before what hits its
    supplier."""
    demand_factor_by_item: Mapping[str, float] = field(default_factory=dict[str, float])
    """Multiplies the item's demand over the whole horizon."""


def with_scenarios(snapshot: PlanningSnapshot, scenarios: Sequence[Scenario], seed: int = 7) -> PlanningSnapshot:
    """The same problem with each scenario on its share of the sample paths; deterministic for a seed.

    An order placed now waits the scenario's days, rounded up to whole periods, on top of its lead time. A supplier
    without capacity and without a delay delivers nothing within the horizon. Where a part of the capacity remains,
    that part of the scenario's paths is served as usual and the others are not: an order now comes whole or late.
    Open orders named in `delay_days_by_order` land later. Ids that the snapshot does not hold have no effect.
    BadInput when a probability or a factor is out of range.
    """
    _check(scenarios)
    if not scenarios or snapshot.n_items == 0:
        return snapshot
    happens, luck = scenario_paths(snapshot.demand.shape[1], [s.probability for s in scenarios], seed)
    delay = np.zeros((snapshot.sources.item.size, happens.size), dtype=np.int64)
    demand, arrivals = snapshot.demand.copy(), snapshot.arrivals.copy()
    for number, scenario in enumerate(scenarios):
        hit = happens == number
        delay[:, hit] = _delays(snapshot, scenario.effects, luck[hit])
        for row, item_id in enumerate(snapshot.item_ids):
            demand[row, hit] *= scenario.demand_factor_by_item.get(item_id, 1.0)
        _delay_open_orders(snapshot, scenario.effects, np.flatnonzero(hit), arrivals)
    if snapshot.sources.path_delay.size:
        delay = np.maximum(delay, snapshot.sources.path_delay)
    return replace(snapshot, demand=demand, arrivals=arrivals, sources=replace(snapshot.sources, path_delay=delay))


def _check(scenarios: Sequence[Scenario]) -> None:
    for scenario in scenarios:
        if not 0.0 <= scenario.probability <= 1.0:
            raise BadInput(
                f"Scenario {scenario.name} has the probability {scenario.probability}.",
                remedy="Give a number from 0 to 1.",
                scenario=scenario.name,
            )
        wrong = {item: f for item, f in scenario.demand_factor_by_item.items() if not 0.0 <= f < math.inf}
        if wrong:
            raise BadInput(
                f"Scenario {scenario.name} multiplies demand by {wrong}.",
                remedy="Give factors of 0 or more.",
                scenario=scenario.name,
            )
    total = sum(scenario.probability for scenario in scenarios)
    if total > 1.0 + 1e-9:
        raise BadInput(
            f"The probabilities of {len(scenarios)} scenarios add up to {total:.3g}.",
            remedy="Only one scenario happens at a time: lower them to 1 together.",
        )


def scenario_paths(paths: int, probabilities: Sequence[float], seed: int) -> tuple[IntArray, FloatArray]:
    """(S,) which scenario each path takes, NO_SCENARIO for none; and (S,) its place within that scenario, in (0, 1).

    Shares are exact to one path, and nearly so among every n-th path: a race on a part of them is not misled.
    """
    start = np.random.default_rng(seed).random()
    spread = (start + GOLDEN * np.arange(paths)) % 1.0
    rank = (np.argsort(np.argsort(spread)) + 0.5) / paths
    ends = np.cumsum(np.asarray(probabilities, dtype=np.float64))
    bounds = np.round(ends * paths) / paths
    happens = np.searchsorted(bounds, rank, side="left")
    happens = np.where(happens < ends.size, happens, NO_SCENARIO).astype(np.int64)
    luck = np.zeros(paths)
    shuffled = np.random.default_rng([seed, 1]).random(paths)
    for number in range(ends.size):
        mine = np.flatnonzero(happens == number)
        luck[mine] = (np.argsort(np.argsort(shuffled[mine])) + 0.5) / max(mine.size, 1)
    return happens, luck


def _delays(snapshot: PlanningSnapshot, effects: DisruptionEffects, luck: FloatArray) -> IntArray:
    """(M, H) periods added to an order placed now on the H paths of one scenario."""
    sources = snapshot.sources
    delays = np.zeros((sources.item.size, luck.size), dtype=np.int64)
    for row, offer_id in enumerate(sources.offer_ids):
        supplier_id = snapshot.supplier_ids[int(sources.supplier[row])]
        days = effects.delay_days_by_offer.get(offer_id, effects.delay_days_by_supplier.get(supplier_id, 0))
        whole = effects.capacity_fraction_by_supplier.get(supplier_id, 1.0)
        left = min(max(effects.capacity_fraction_by_offer.get(offer_id, whole), 0.0), 1.0)
        periods = math.ceil(days / snapshot.period.days - 1e-9)
        stopped = luck > left
        delays[row] = np.where(stopped, periods or snapshot.horizon, periods if left >= 1.0 else 0)
    return delays


def _delay_open_orders(
    snapshot: PlanningSnapshot, effects: DisruptionEffects, hit: IntArray, arrivals: FloatArray
) -> None:
    """Move what delayed open orders bring on the paths `hit`, the order promised last first.

    The paths tell what arrives and not of which order: on each, the last period that brings an order's quantity or
    more is taken for its own. What a path does not bring within the horizon is not moved.
    """
    rows = snapshot.row_of
    late = [order for order in snapshot.open_orders if effects.delay_days_by_order.get(order.order_id, 0) > 0]
    for order in sorted(late, key=_promised, reverse=True):
        row = rows.get((order.item_id, order.site_id))
        if row is None:
            continue
        periods = math.ceil(effects.delay_days_by_order[order.order_id] / snapshot.period.days - 1e-9)
        for path in hit:
            brings = np.flatnonzero(arrivals[row, path] >= order.quantity - TINY)
            if brings.size and order.quantity > 0:
                _move(arrivals[row, path], int(brings[-1]), periods, order.quantity)


def _promised(order: PurchaseOrder) -> tuple[str, str]:
    return str(order.promised_date or order.order_date), order.order_id


def _move(comes: FloatArray, period: int, periods: int, quantity: float) -> None:
    comes[period] -= quantity
    if period + periods < comes.size:
        comes[period + periods] += quantity
