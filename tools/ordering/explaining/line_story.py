"""The story of one order line, computed when somebody asks: what other quantities, sources and limits would mean.

Prices every alternative on the plan's own sample paths under its own later policy, so that its figures compare with
those of the plan. `plan_orders` itself computes none of this.
"""

from dataclasses import dataclass, field
from datetime import date, timedelta

import numpy as np

from tools.domain.arrays import FloatArray
from tools.domain.errors import BadInput, NotFound
from tools.domain.plans import BindingLimit, CostParts, OrderPlan, PlanLine
from tools.domain.snapshots import PlanningSnapshot
from tools.ordering.explaining.item_case import (
    ItemCase,
    Orders,
    PricedOrders,
    accepted_around,
    beside,
    columns_of,
    item_case,
)
from tools.ordering.explaining.textbook_comparison import TextbookFigure, textbook_figures
from tools.ordering.limits.limit_words import limit_in_words
from tools.ordering.pricing.catalogue_prices import Priced
from tools.ordering.problem.levels import quantile_index
from tools.ordering.problem.quantities import TINY
from tools.ordering.verification.rules import PLACING

CURVE_SIDE = 5
"""Quantities of the cost curve on each side of the chosen one."""
QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
"""Of the projected stock."""


@dataclass(frozen=True, slots=True)
class CurvePoint:
    """What the item would cost with another quantity of the line's source, the other orders kept."""

    quantity: float
    cost: CostParts
    limit_value: float
    """Worth, at shadow prices, of the shared limits that the item's orders would use."""

    @property
    def total(self) -> float:
        """What the plan minimises."""
        return self.cost.total + self.limit_value


@dataclass(frozen=True, slots=True)
class NextBest:
    """The cheapest orders of today that leave the line's source out."""

    orders: tuple[tuple[str, float], ...]
    """(offer id, units); empty for ordering nothing."""
    extra_cost: float
    """Over the planned orders, in money; below 0 only where the plan had not looked at them."""
    words: str


@dataclass(frozen=True)
class LineStory:
    """What explains a line beyond its own figures; money over the horizon."""

    line: PlanLine
    currency: str
    curve: tuple[CurvePoint, ...]
    """Ascending by quantity, the planned one among them."""
    next_best: NextBest
    limits: tuple[BindingLimit, ...]
    limits_in_words: tuple[str, ...]
    stockout_probability: float
    """Of a stock-out before an order of the next review could arrive."""
    stockout_probability_without: float
    """The same without this line, later orders making up for it as they would."""
    next_opportunity: date
    """When an order of the next review could arrive, on average."""
    stock_dates: tuple[date, ...] = field(repr=False)
    """End of each period."""
    stock_quantiles: FloatArray = field(repr=False)
    """(5, T) net stock at QUANTILES."""
    textbook: tuple[TextbookFigure, ...]


def explain_line(snapshot: PlanningSnapshot, plan: OrderPlan, line_id: str) -> LineStory:
    """The story of a line that the plan places now, under the plan's own settings.

    NotFound when the plan has no such line; BadInput for a line that changes an open order and has no curve.
    """
    line = _line_of(plan, line_id)
    case = item_case(snapshot, plan, line.item_id, line.site_id)
    row = case.row_of(line.offer_id)
    others: Orders = {source: units for source, units in case.planned.items() if source != row}
    curve = _curve(case, row, line.quantity, others)
    paths, without = case.stock(case.planned), case.stock(others)
    reach = _reach(case)
    return LineStory(
        line=line,
        currency=snapshot.currency,
        curve=curve,
        next_best=_next_best(case, row),
        limits=line.binding,
        limits_in_words=tuple(limit_in_words(limit, snapshot.currency) for limit in line.binding),
        stockout_probability=_runs_out(paths, reach),
        stockout_probability_without=_runs_out(without, reach),
        next_opportunity=snapshot.as_of + timedelta(days=round(reach * snapshot.period.days)),
        stock_dates=tuple(
            snapshot.as_of + timedelta(days=round((period + 1) * snapshot.period.days))
            for period in range(snapshot.horizon)
        ),
        stock_quantiles=np.sort(paths, axis=1)[:, quantile_index(np.array(QUANTILES), paths.shape[1])].T,
        textbook=textbook_figures(case, row, line),
    )


def _line_of(plan: OrderPlan, line_id: str) -> PlanLine:
    found = plan.line_of.get(line_id)
    if found is None:
        examples = ", ".join(line.line_id for line in plan.lines[:3]) or "none"
        raise NotFound(
            f"The plan places no line {line_id!r} now.", remedy=f"Name one of its lines: {examples}.", line_id=line_id
        )
    if found.intent not in PLACING:
        raise BadInput(
            f"Line {line_id} changes open order {found.replaces_order_id}: there is no quantity to weigh.",
            remedy="Ask for a line that places an order.",
            line_id=line_id,
        )
    return found


def _curve(case: ItemCase, row: int, quantity: float, others: Orders) -> tuple[CurvePoint, ...]:
    """Accepted quantities around the planned one, from nothing up; breaks of the price show as steps."""
    ladder = accepted_around(case, row, quantity, CURVE_SIDE)
    priced = case.priced(columns_of([{**others, row: units} if units > TINY else others for units in ladder]))
    return tuple(
        CurvePoint(units, CostParts(*(float(part) for part in priced.parts[at])), float(priced.limit_value[at]))
        for at, units in enumerate(ladder)
    )


def _next_best(case: ItemCase, row: int) -> NextBest:
    """Without the source: the best that formulas and search find, the other lines alone, and nothing."""
    others: Orders = {source: units for source, units in case.planned.items() if source != row}
    grown = _grown(case, row, others)
    priced = case.priced(beside(case.base, columns_of([{}, others, *grown]), case.candidates(barred=row)))
    rivals = np.where(priced.units(row) > TINY, np.inf, priced.total)
    best = int(np.argmin(rivals))
    return _in_words(case, row, priced, best)


def extra_cost_of_switching(
    snapshot: PlanningSnapshot, plan: OrderPlan, line_id: str, offer_id: str, priced: Priced | None = None
) -> float:
    """What the line's need ordered from another offer of the item would cost more over the horizon, in money.

    At the cheapest of the quantities around the line's own that the offer accepts, in place of the line's source;
    below 0 where that is cheaper than the plan. `priced` as for `item_case`. NotFound.
    """
    line = _line_of(plan, line_id)
    case = item_case(snapshot, plan, line.item_id, line.site_id, priced)
    row, other = case.row_of(line.offer_id), case.row_of(offer_id)
    kept: Orders = {source: units for source, units in case.planned.items() if source not in (row, other)}
    before = case.planned.get(other, 0.0)
    ladder = accepted_around(case, other, before + line.quantity, CURVE_SIDE)
    alternatives = case.priced(
        beside(case.base, columns_of([{**kept, other: units} for units in ladder if units > TINY]))
    )
    return float(alternatives.total[1:].min() - alternatives.total[0])


def _grown(case: ItemCase, row: int, others: Orders) -> list[Orders]:
    """The other lines enlarged, one at a time, by what the source left out would have brought."""
    missing, found = float(case.planned[row]), list[Orders]()
    for source, units in others.items():
        more = accepted_around(case, source, units + missing, 1)
        found.extend({**others, source: amount} for amount in more if amount > TINY)
    return found


def _in_words(case: ItemCase, row: int, priced: PricedOrders, best: int) -> NextBest:
    offers, currency = case.snapshot.sources.offer_ids, case.snapshot.currency
    orders = tuple((offers[source], units) for source, units in priced.orders(best).items())
    extra = float(priced.total[best] - priced.total[0])
    taken = " and ".join(f"{units:,.0f} from {offer}" for offer, units in orders) or "ordering nothing now"
    change = f"{abs(extra):,.2f} {currency} {'more' if extra >= 0 else 'less'}"
    return NextBest(orders, extra, f"Without {offers[row]}: {taken}, {change} over the horizon.")


def _reach(case: ItemCase) -> int:
    """Periods until an order of the next review could arrive from the regular source, as the item's outlook counts."""
    regular = case.batch.policy.regular
    if not regular.active[0]:
        return case.snapshot.horizon
    return min(max(int(regular.lead[0]) + case.settings.review_periods, 1), case.snapshot.horizon)


def _runs_out(paths: FloatArray, reach: int) -> float:
    return float((paths[:reach].min(axis=0) < -TINY).mean())


def curve_in_words(story: LineStory) -> str:
    """What the cost curve says, in a sentence."""
    chosen = next(point for point in story.curve if point.quantity == story.line.quantity)
    best = min(story.curve, key=lambda point: point.total)
    near = [point for point in story.curve if point.total <= chosen.total * 1.01 + 0.01]
    span = f"{near[0].quantity:,.0f} to {near[-1].quantity:,.0f} cost at most 1 % more" if len(near) > 1 else ""
    if best.total < chosen.total - 0.005:
        least = f"{best.quantity:,.0f} would cost {chosen.total - best.total:,.2f} {story.currency} less on this curve"
    else:
        least = "no quantity shown costs less"
    return f"At {chosen.quantity:,.0f} units the expected cost is {chosen.total:,.2f} {story.currency}; {least}" + (
        f"; {span}." if span else "."
    )
