"""What better terms of an offer are worth, in money: the limits that a negotiator keeps to.

A lower price counts for the order of today alone, since that is what is talked about. It moves the cost of each
alternative along a line, so its value is exact over the alternatives. An earlier date, a smaller MOQ and a larger
maximum are terms of the offer from now on: the item is solved anew. No value is negative: whoever is offered better
terms than needed may order as under the present ones.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from tools.domain.arrays import FloatArray
from tools.domain.errors import BadInput, NotFound
from tools.domain.plans import OrderPlan
from tools.domain.snapshots import PlanningSnapshot, SourceTable
from tools.ordering.candidates.columns import Columns
from tools.ordering.candidates.refinement import may_refine
from tools.ordering.explaining.item_case import (
    ItemCase,
    Orders,
    PricedOrders,
    accepted_around,
    accepted_of,
    beside,
    columns_of,
    item_case,
)
from tools.ordering.problem.quantities import TINY, order_cap, price_of, unit_price_at

PRICE_CUTS_PERCENT = (1.0, 2.0, 5.0, 10.0)
PERIODS_EARLIER = (1, 2, 3)
PERIODS_AHEAD = 12
"""Periods of mean demand that a cheaper price may buy at once."""
MOQ_SHARES = (0.5, 0.0)
"""Of the MOQ that is left."""
MAXIMUM_FACTORS = (1.25, 2.0, float("inf"))
LADDER = 12
"""Quantities of the offer looked at on each side of the planned one."""


@dataclass(frozen=True, slots=True)
class TermValue:
    """A better term and what it saves, in money."""

    change: float
    """Percent off the price, periods earlier, units of MOQ, units of the largest order."""
    value: float


@dataclass(frozen=True, slots=True)
class ReservationValues:
    """What terms of one offer are worth to the plan; money over the horizon for the order of today."""

    offer_id: str
    item_id: str
    currency: str
    quantity: float
    """Planned from the offer now; 0 where the plan passes it over."""
    unit_price: float
    """Listed at that quantity."""
    next_best: Mapping[str, float]
    """Offer id to units: the cheapest orders of today without the offer; empty for ordering nothing."""
    next_best_extra: float
    """What they would cost more than the best orders with it."""
    reservation_price: float
    """Unit price at which the planned quantity costs as much as the next best; at an unplanned offer, below which
    some quantity of it would be bought."""
    indifference_price: float
    """Unit price above which no quantity of the offer is worth buying now."""
    lower_price: tuple[TermValue, ...]
    earlier: tuple[TermValue, ...]
    smaller_moq: tuple[TermValue, ...]
    larger_maximum: tuple[TermValue, ...]

    @property
    def per_percent(self) -> float:
        """Worth of one percent off the unit price, in money."""
        return self.lower_price[0].value if self.lower_price else 0.0


def reservation_values(snapshot: PlanningSnapshot, plan: OrderPlan, offer_id: str) -> ReservationValues:
    """What a lower price, an earlier date, a smaller MOQ and a larger maximum of an offer are worth.

    The plan's own settings hold; limits that items share enter by the plan's shadow prices. NotFound when no source
    has the offer's id; BadInput when it may not be ordered from now.
    """
    case, row = _case_of(snapshot, plan, offer_id)
    table = _Alternatives.of(case, row)
    planned = float(case.planned.get(row, 0.0))
    indifferent, quantity = table.indifference()
    sources = case.snapshot.sources
    price = price_of(sources, row, planned or quantity)
    held = price + (table.without - table.planned) / planned if planned > TINY else indifferent
    return ReservationValues(
        offer_id=offer_id,
        item_id=case.snapshot.item_ids[0],
        currency=snapshot.currency,
        quantity=planned,
        unit_price=price,
        next_best={sources.offer_ids[source]: units for source, units in table.next_best.items()},
        next_best_extra=table.without - (table.planned if planned > TINY else table.best),
        reservation_price=max(held, 0.0),
        indifference_price=max(indifferent, 0.0),
        lower_price=tuple(TermValue(cut, table.saved_by(cut / 100 * price)) for cut in PRICE_CUTS_PERCENT),
        earlier=_rising(case, row, table, _earlier(sources, row)),
        smaller_moq=_rising(case, row, table, _smaller_moq(sources, row)),
        larger_maximum=_rising(case, row, table, _larger_maximum(case, row)),
    )


def _case_of(snapshot: PlanningSnapshot, plan: OrderPlan, offer_id: str) -> tuple[ItemCase, int]:
    sources = snapshot.sources
    if offer_id not in snapshot.source_of:
        raise NotFound(
            f"No source has the offer id {offer_id!r}.",
            remedy="Name an offer of an item of the plan; its lines carry their offer ids.",
            offer_id=offer_id,
        )
    item = int(sources.item[snapshot.source_of[offer_id]])
    case = item_case(snapshot, plan, snapshot.item_ids[item], snapshot.site_ids[item])
    row = case.row_of(offer_id)
    if not case.levels.usable[row]:
        raise BadInput(
            f"Offer {offer_id!r} may not be ordered from now: its supplier, its dates or the settings forbid it.",
            remedy="Name an offer that may be ordered from, or lift what bars it.",
            offer_id=offer_id,
        )
    return case, row


@dataclass(frozen=True)
class _Alternatives:
    """All orders of today that are weighed around one offer, the planned ones first."""

    priced: PricedOrders
    units: FloatArray
    """(C,) from the offer."""
    listed: FloatArray
    """(C,) its unit price at that quantity."""

    @classmethod
    def of(cls, case: ItemCase, row: int, *known: Columns) -> "_Alternatives":
        """Those of the case, and `known` ones behind them."""
        parts = [case.base, case.candidates(), case.candidates(barred=row), *_ladders(case, row)]
        priced = case.priced(beside(*parts, *known))
        units = priced.units(row)
        listed = unit_price_at(case.snapshot.sources, np.full(units.size, row, dtype=np.int64), units)
        return cls(priced, units, listed)

    @property
    def planned(self) -> float:
        """Cost of the planned orders."""
        return float(self.priced.total[0])

    @property
    def best(self) -> float:
        """Least cost of all."""
        return float(self.priced.total.min())

    @property
    def without(self) -> float:
        """Least cost without the offer."""
        return float(self.priced.total[self._rival])

    @property
    def _rival(self) -> int:
        return int(np.argmin(np.where(self.units > TINY, np.inf, self.priced.total)))

    @property
    def next_best(self) -> dict[int, float]:
        """Source rows and units of the cheapest orders without the offer."""
        return self.priced.orders(self._rival)

    def saved_by(self, discount: float) -> float:
        """What so much off every unit of the offer ordered now saves, the quantity free to follow."""
        return self.best - float((self.priced.total - discount * self.units).min())

    def indifference(self) -> tuple[float, float]:
        """(unit price, units): the highest flat price at which some quantity costs no more than doing without."""
        able = (self.units > TINY) & np.isfinite(self.priced.total)
        spread = (self.without - self.priced.total[able]) / self.units[able]
        prices = self.listed[able] + spread
        at = int(np.argmax(prices))
        return float(prices[at]), float(self.units[able][at])


def _ladders(case: ItemCase, row: int) -> list[Columns]:
    """Quantities of the offer beside the planned orders of the others, and alone; none where shares are capped."""
    if not may_refine(case.snapshot, case.settings):
        return []
    others = {source: units for source, units in case.planned.items() if source != row}
    planned = case.planned.get(row, sum(others.values()))
    ahead: FloatArray = float(case.costs.mean_demand[0]) * np.arange(1, PERIODS_AHEAD + 1, dtype=np.float64)
    quantities = [*accepted_around(case, row, planned, LADDER), *accepted_of(case, row, ahead).tolist()]
    kept = [others, dict[int, float]()] if others else [dict[int, float]()]
    return [columns_of([_added(orders, row, units) for units in quantities]) for orders in kept]


def _added(orders: Orders, row: int, units: float) -> Orders:
    return {**orders, row: units} if units > TINY else orders


@dataclass(frozen=True)
class _Change:
    """A better term: how much of it, and all sources under it."""

    amount: float
    sources: SourceTable


def _rising(case: ItemCase, row: int, base: _Alternatives, changes: Sequence[_Change]) -> tuple[TermValue, ...]:
    """Value of each change, from the least to the greatest; what a smaller one saves, a greater one saves too."""
    found, most = list[TermValue](), 0.0
    for change in changes:
        table = _Alternatives.of(case.under(change.sources), row, base.priced.columns)
        most = max(most, base.best - table.best)
        found.append(TermValue(change.amount, most))
    return tuple(found)


def _earlier(sources: SourceTable, row: int) -> list[_Change]:
    """Arrivals of the offer that many whole periods sooner, as far as its lead time allows."""
    found = list[_Change]()
    for periods in PERIODS_EARLIER:
        chance = sources.lead_time[row]
        if periods >= chance.size or float(chance[periods:].sum()) <= TINY:
            break
        sooner = np.zeros(chance.size)
        sooner[: chance.size - periods] = chance[periods:]
        sooner[0] += chance[:periods].sum()
        found.append(_Change(float(periods), _with(sources, row, lead_time=sooner)))
    return found


def _smaller_moq(sources: SourceTable, row: int) -> list[_Change]:
    """Half the MOQ, and none; nothing where the MOQ is no more than the order multiple."""
    moq = float(sources.moq[row])
    if moq <= float(sources.order_multiple[row]) + TINY:
        return []
    return [_Change(moq * share, _with(sources, row, moq=moq * share)) for share in MOQ_SHARES]


def _larger_maximum(case: ItemCase, row: int) -> list[_Change]:
    """A larger order, and more capacity with it; nothing where neither is limited."""
    sources = case.snapshot.sources
    cap = float(order_cap(sources, case.settings.review_periods)[row])
    if not np.isfinite(cap):
        return []
    largest, capacity = float(sources.max_quantity[row]), float(sources.capacity_per_period[row])
    return [
        _Change(cap * by, _with(sources, row, max_quantity=largest * by, capacity_per_period=capacity * by))
        for by in MAXIMUM_FACTORS
    ]


def _with(sources: SourceTable, row: int, **terms: float | FloatArray) -> SourceTable:
    """The sources with some terms of one row replaced."""
    changed = dict[str, FloatArray]()
    for name, value in terms.items():
        changed[name] = np.array(getattr(sources, name), dtype=np.float64)
        changed[name][row] = value
    return replace(sources, **changed)
