"""Order lines in the field's words: the formula, its figures, and the alternatives beside them."""

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from tools.domain.arrays import FloatArray
from tools.domain.orders import Intent
from tools.domain.plans import BindingLimit, Explanation, PlanLine
from tools.domain.snapshots import OrderingSettings, PlanningSnapshot
from tools.ordering.limits.allocation import Allocation
from tools.ordering.limits.limit_words import binding_limit
from tools.ordering.pricing.items import Batch
from tools.ordering.problem.quantities import TINY, order_cap, price_of
from tools.ordering.stochastic.continuations import KINDS, Channel
from tools.ordering.stochastic.rollout import Rollout

LARGE_SAFETY = 1.5
"""Safety stock over the demand that it secures from which a line says where it comes from."""
INTENDED_SHOWN = 3
"""Later orders shown per item; they are intentions and are recomputed at every review."""


@dataclass(frozen=True)
class Scene:
    """One item within its batch: everything its lines and outlook are written from."""

    batch: Batch
    row: int
    column: int
    result: Rollout
    """Recorded play of the chosen columns, one per item."""
    settings: OrderingSettings
    allocation: Allocation

    @property
    def snapshot(self) -> PlanningSnapshot:
        """The batch's snapshot."""
        return self.batch.snapshot

    @property
    def item_id(self) -> str:
        """The item."""
        return self.snapshot.item_ids[self.row]

    def total(self, column: int) -> float:
        """Expected cost of a candidate."""
        return float(self.batch.parts[self.row, column].sum())


def line_id_of(offer_id: str, period: int) -> str:
    """Stable id of a line within a plan."""
    return f"{offer_id}#{period}"


def lines_now(scene: Scene) -> list[PlanLine]:
    """The lines to place now, by source."""
    columns = scene.batch.columns
    quantities = columns.quantity[scene.row, scene.column]
    sources = columns.source[scene.row, scene.column]
    live = [int(p) for p in np.flatnonzero(quantities > TINY)]
    live.sort(key=lambda p: scene.snapshot.sources.offer_ids[int(sources[p])])
    return [_line_now(scene, int(sources[p]), float(quantities[p]), p) for p in live]


def _line_now(scene: Scene, row: int, quantity: float, part: int) -> PlanLine:
    expedite = bool(scene.snapshot.sources.expedite[row])
    return line_of(
        scene.snapshot,
        row,
        quantity,
        period=0,
        intent=Intent.EXPEDITE if expedite else Intent.PLACE,
        explanation=_explain(scene, row, quantity, part),
        binding=_binding(scene, row),
    )


def line_of(
    snapshot: PlanningSnapshot,
    row: int,
    quantity: float,
    *,
    period: int,
    intent: Intent,
    explanation: Explanation,
    binding: tuple[BindingLimit, ...] = (),
) -> PlanLine:
    """An order from source `row` in a period, at the source's terms for its quantity."""
    sources, item = snapshot.sources, int(snapshot.sources.item[row])
    ordered = later_date(snapshot, period)
    return PlanLine(
        line_id=line_id_of(sources.offer_ids[row], period),
        intent=intent,
        item_id=snapshot.item_ids[item],
        site_id=snapshot.site_ids[item],
        supplier_id=snapshot.supplier_ids[int(sources.supplier[row])],
        offer_id=sources.offer_ids[row],
        quantity=quantity,
        period=period,
        order_date=ordered,
        expected_arrival=ordered + timedelta(days=int(np.ceil(sources.lead_time_days[row]))),
        unit_price=price_of(sources, row, quantity),
        freight_per_unit=float(sources.freight_per_unit[row]),
        fixed_order_cost=float(sources.fixed_order_cost[row]),
        explanation=explanation,
        binding=binding,
    )


def later_date(snapshot: PlanningSnapshot, period: int) -> date:
    """Day on which an order of a period is placed."""
    return snapshot.as_of + timedelta(days=round(period * snapshot.period.days))


def _explain(scene: Scene, row: int, quantity: float, part: int) -> Explanation:
    levels, costs = scene.batch.levels, scene.batch.costs
    wanted = float(scene.batch.columns.wanted[scene.row, scene.column, part])
    ratio = float(levels.ratio[row])
    figures = {
        "on_hand": float(scene.snapshot.on_hand[scene.row]),
        "inventory_position": float(levels.position[row]),
        "days_of_cover": days_of_cover(scene),
        "lead_time_periods_mean": float(levels.mean_lead[row]),
        "review_periods": float(scene.settings.review_periods),
        "lead_time_demand_mean": float(levels.window_mean[row]),
        "lead_time_demand_sd": float(levels.window_sd[row]),
        "quantile": ratio,
        "reorder_point": float(levels.level[row]),
        "order_up_to": float(levels.level[row] + levels.beyond[row]),
        "safety_stock": float(levels.level[row] - levels.window_mean[row]),
        "economic_order_quantity": float(levels.eoq[row]),
        "quantity_before_rounding": wanted,
        "quantity": quantity,
        "holding_cost_per_unit_period": float(costs.holding[scene.row]),
        "shortage_cost_per_unit_period": float(costs.shortage[scene.row]),
        "expected_cost": scene.total(scene.column),
        "extra_cost_of_ordering_nothing": scene.total(0) - scene.total(scene.column),
    }
    figures.update(_policy_figures(scene))
    notes = [*scene.snapshot.item_notes.get(scene.item_id, ()), *_rounding_notes(scene, row, wanted, quantity)]
    notes.extend(_safety_notes(scene, row))
    other = next_best(scene, row)
    if other is not None:
        figures["extra_cost_of_next_best_source"] = other[1]
        extra = f"{other[1]:,.2f} {scene.snapshot.currency} more"
        notes.append(f"Next best without {scene.snapshot.sources.offer_ids[row]}: {other[0]}, {extra}.")
    notes.append(_policy_note(scene))
    newsvendor = ratio >= float(costs.ratio[scene.row]) - TINY
    quantile = "b / (b + h)" if newsvendor else "such that its mean over the lot's stock is b / (b + h)"
    formula = (
        f"need = quantile {ratio:.4f} of (demand over lead time + {scene.settings.review_periods} period(s) review"
        f" - stock on hand - open orders that land within it); quantile = {quantile}; rounded to MOQ, multiple"
        " and maximum; the candidate with the least expected purchase + freight + ordering + holding +"
        " shortage cost over the horizon is taken"
    )
    return Explanation("order up to a newsvendor quantile, priced by rollout", formula, figures, tuple(notes))


def days_of_cover(scene: Scene) -> float:
    """Days that stock and all open orders last at mean demand; 99,999 where there is hardly any."""
    snapshot, row = scene.snapshot, scene.row
    position = float(snapshot.on_hand[row] + snapshot.arrivals[row].sum(axis=1).mean())
    daily = float(scene.batch.costs.mean_demand[row]) / snapshot.period.days
    return min(max(position, 0.0) / max(daily, 1e-12), 99_999.0)


def _policy_note(scene: Scene) -> str:
    """Which policy later orders follow, and what the best of the others would cost over the horizon."""
    policy, currency = scene.batch.policy, scene.snapshot.currency
    chosen, estimates = int(policy.kind[scene.row]), policy.estimates_of(scene.row)
    told = f"Later orders are taken to follow: {policy.name_of(scene.row)}"
    others = [(name, cost) for name, cost in estimates.items() if name != KINDS[chosen]]
    if KINDS[chosen] not in estimates or not others:
        return f"{told}."
    name, cost = others[0]
    return (
        f"{told}, at {estimates[KINDS[chosen]]:,.2f} {currency} expected over the horizon; the best of the"
        f" {len(others)} other policies tried, {name}, would come to {cost:,.2f}."
    )


def _policy_figures(scene: Scene) -> dict[str, float]:
    """What the chosen continuation policy saves over the first kind, and the price that a fill-rate floor asks for."""
    figures, policy = dict[str, float](), scene.batch.policy
    estimates = policy.estimates[scene.row]
    saved = float(estimates[0] - estimates[policy.kind[scene.row]])
    if saved > TINY:
        figures["saved_by_policy_over_base_stock"] = saved
    multiple = float(scene.batch.costs.floor[scene.row])
    if multiple > 1:
        figures["fill_rate_target"] = float(scene.snapshot.fill_rate_target[scene.row])
        figures["fill_rate_projected"] = float(scene.batch.fill_later[scene.row, scene.column])
        figures["shortage_price_multiple_for_fill_rate"] = multiple
    return figures


def _rounding_notes(scene: Scene, row: int, wanted: float, quantity: float) -> list[str]:
    sources = scene.snapshot.sources
    notes = list[str]()
    largest = order_cap(sources, scene.settings.review_periods)[row]
    if abs(quantity - wanted) > TINY:
        notes.append(
            f"Rounded from {wanted:,.2f} to {quantity:,.2f} (MOQ {sources.moq[row]:,.0f}, multiple"
            f" {sources.order_multiple[row]:,.0f}, largest order {largest:,.0f})."
        )
    columns = scene.batch.columns
    considered = (columns.source[scene.row] == row) & columns.valid[scene.row][:, None]
    need = float(columns.wanted[scene.row][considered].max(initial=0))
    if wanted < need - TINY:
        notes.append(
            f"Less than the largest quantity considered ({need:,.2f}): a later order or a shared limit makes"
            " the smaller one cheaper."
        )
    return notes


def _safety_notes(scene: Scene, row: int) -> list[str]:
    """Where a large safety stock comes from: the quantile asked for, and how much of the spread is the lead time's."""
    levels, mean = scene.batch.levels, float(scene.batch.costs.mean_demand[scene.row])
    safety = float(levels.level[row] - levels.window_mean[row])
    if safety <= LARGE_SAFETY * float(levels.window_mean[row]) or mean <= TINY:
        return []
    waiting = float(levels.lead[row].std())
    share = min(mean * waiting / max(float(levels.window_sd[row]), 1e-9), 1.0) ** 2
    return [
        f"Safety stock of {safety:,.0f} against {float(levels.window_mean[row]):,.0f} expected: the"
        f" {float(scene.batch.costs.ratio[scene.row]):.2%} quantile is asked for, and about {share:.0%} of the variance"
        f" comes from the lead time (standard deviation {waiting:,.1f} periods). The quantity is the cheapest of those"
        " priced and need not fill this level up."
    ]


def next_best(scene: Scene, row: int) -> tuple[str, float] | None:
    """The cheapest candidate that orders without this source, and its extra cost."""
    columns = scene.batch.columns
    using = ((columns.source[scene.row] == row) & (columns.quantity[scene.row] > TINY)).any(axis=1)
    orders = (columns.quantity[scene.row] > TINY).any(axis=1)
    totals = scene.batch.parts[scene.row].sum(axis=1)
    rivals = np.where(~using & orders & columns.valid[scene.row], totals, np.inf)
    best = int(np.argmin(rivals))
    if not np.isfinite(rivals[best]):
        return None
    live = columns.quantity[scene.row, best] > TINY
    offers = [scene.snapshot.sources.offer_ids[int(s)] for s in columns.source[scene.row, best][live]]
    return " + ".join(offers), float(rivals[best] - totals[scene.column])


def _binding(scene: Scene, row: int) -> tuple[BindingLimit, ...]:
    allocation, supplier = scene.allocation, int(scene.snapshot.sources.supplier[row])
    return tuple(
        binding_limit(scene.snapshot, name, float(limit), float(price), unit)
        for name, unit, who, limit, price in zip(
            allocation.names,
            allocation.units,
            allocation.supplier,
            allocation.limits,
            allocation.shadow_prices,
            strict=True,
        )
        if price > 1e-9 and who in (-1, supplier)
    )


def intended_lines(scene: Scene) -> list[PlanLine]:
    """The next orders the continuation policy would place, at the periods where they fall due on average."""
    later = scene.result.later
    if later is None:
        return []
    lines = list[PlanLine]()
    for index, channel in enumerate((scene.batch.policy.regular, scene.batch.policy.express)):
        if channel.active[scene.row]:
            lines.extend(_due_lots(scene, channel, later[:, scene.row, index]))
    lines.sort(key=lambda line: (line.period, line.offer_id))
    return lines[:INTENDED_SHOWN]


def _due_lots(scene: Scene, channel: Channel, mean_units: FloatArray) -> list[PlanLine]:
    row = int(channel.row[scene.row])
    lot = max(float(scene.batch.levels.lot[row]), 1e-9)
    due, total, periods = 0.5 * lot, 0.0, list[int]()
    for period, units in enumerate(mean_units.tolist()):
        total += units
        if total >= due and len(periods) < INTENDED_SHOWN:
            periods.append(period)
            due += max(lot, total - due)
    text = Explanation(
        "base stock, forecast", "mean order of the continuation policy over the sample paths", {"usual_lot": lot}
    )
    return [line_of(scene.snapshot, row, lot, period=p, intent=Intent.PLACE, explanation=text) for p in periods]
