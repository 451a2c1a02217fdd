"""Textbook quantities beside the plan's own, and why the two differ."""

from dataclasses import dataclass

from tools.domain.plans import PlanLine
from tools.ordering.explaining.item_case import ItemCase
from tools.ordering.problem.quantities import TINY
from tools.ordering.textbook import base_stock_normal, economic_order_quantity, newsvendor_normal


@dataclass(frozen=True, slots=True)
class TextbookFigure:
    """One quantity by the textbook and by the plan, in units."""

    name: str
    textbook: float
    ours: float
    why: str
    """Why they differ, in a sentence."""


def textbook_figures(case: ItemCase, row: int, line: PlanLine) -> tuple[TextbookFigure, ...]:
    """Reorder point, safety stock, newsvendor order and economic order quantity of a line's source.

    Nothing where a formula has nothing to work on: no demand, or no cost of holding or of running short.
    """
    holding, shortage = float(case.costs.holding[0]), float(case.costs.shortage[0])
    mean = float(case.costs.mean_demand[0])
    if min(holding, shortage, mean) <= TINY:
        return ()
    found = [*_levels(case, row, holding, shortage), _newsvendor(case, row, line, holding, shortage)]
    fixed = float(case.snapshot.sources.fixed_order_cost[row])
    if fixed > TINY:
        found.append(_lot(line, fixed, holding, mean))
    return tuple(found)


def _levels(case: ItemCase, row: int, holding: float, shortage: float) -> list[TextbookFigure]:
    """Base stock over lead time and review, normal demand: what a spreadsheet would set."""
    demand, levels = case.snapshot.demand[0], case.levels
    lead = levels.lead[row] + float(case.settings.review_periods)
    ratio = float(case.costs.ratio[0])
    book = base_stock_normal(
        holding,
        shortage,
        demand_mean=float(demand.mean()),
        demand_sd=float(demand.std()),
        lead_mean=float(lead.mean()),
        lead_sd=float(lead.std()),
    )
    expected = float(demand.mean()) * float(lead.mean())
    ours, ours_expected = float(levels.level[row]), float(levels.window_mean[row])
    shape = (
        "The textbook takes demand over lead time and review as normal, independent between periods and steady; ours is"
        f" the {ratio:.1%} quantile of the sample paths in the periods that this order covers"
    )
    tail = f", whose own mean is {ours_expected:,.1f} against {expected:,.1f}" if expected else ""
    return [
        TextbookFigure("reorder_point", book.level, ours, f"{shape}{tail}."),
        TextbookFigure(
            "safety_stock",
            book.level - expected,
            ours - ours_expected,
            "As at the reorder point: the skew of demand and lead time, and runs of high demand, make the difference.",
        ),
    ]


def _newsvendor(case: ItemCase, row: int, line: PlanLine, holding: float, shortage: float) -> TextbookFigure:
    """Order up to the newsvendor level of the window's demand, from the inventory position."""
    levels = case.levels
    book = newsvendor_normal(holding, shortage, float(levels.window_mean[row]), float(levels.window_sd[row]))
    others = sum(units for source, units in case.planned.items() if source != row)
    reasons = ["the newsvendor orders for one cover period and knows neither price breaks nor what later orders cost"]
    if others > TINY:
        reasons.append(f"{others:,.0f} units come from other sources")
    if line.binding:
        reasons.append("shared limits bind")
    wanted = max(book.level - float(levels.position[row]), 0.0)
    return TextbookFigure("newsvendor_order", wanted, line.quantity, f"{'; '.join(reasons).capitalize()}.")


def _lot(line: PlanLine, fixed: float, holding: float, mean: float) -> TextbookFigure:
    lot = economic_order_quantity(fixed, holding, mean).quantity
    why = (
        "The economic order quantity weighs order cost against holding at steady demand and no risk; ours also fills"
        " what stock and open orders leave uncovered, in MOQ and multiples."
    )
    return TextbookFigure("economic_order_quantity", lot, line.quantity, why)
