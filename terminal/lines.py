"""Order lines: what is ordered and, under each, the figures that explain the quantity."""

from collections.abc import Mapping, Sequence

from graph.views.orders import LineView
from graph.views.plans import OutlookView
from terminal.figures import amount, rough, share, units
from terminal.screen import aligned, bullet, heading, pairs, say, say_whole

SHOWN = 10
"""Lines of the plan shown, largest value first, unless all are asked for."""
FIGURES: Mapping[str, str] = {
    "on_hand": "stock on hand",
    "inventory_position": "inventory position (on hand + open orders that land in time)",
    "lead_time_periods_mean": "mean lead time, in periods",
    "review_periods": "periods between reviews",
    "lead_time_demand_mean": "mean demand over lead time and review",
    "lead_time_demand_sd": "its standard deviation",
    "quantile": "service quantile b / (b + h)",
    "reorder_point": "reorder level",
    "order_up_to": "order-up-to level",
    "safety_stock": "safety stock",
    "economic_order_quantity": "economic order quantity",
    "quantity_before_rounding": "quantity before rounding",
    "quantity": "quantity",
    "holding_cost_per_unit_period": "h, holding cost per unit and period",
    "shortage_cost_per_unit_period": "b, shortage cost per unit and period",
    "expected_cost": "expected cost over the horizon",
    "extra_cost_of_ordering_nothing": "ordering nothing would cost more by",
    "extra_cost_of_next_best_source": "the next best source would cost more by",
}
INTENTS = {"place": "", "adjust_quantity": "adjust", "switch_supplier": "switch", "move_date": "move"}


def show_lines(lines: Sequence[LineView], currency: str, *, everything: bool, more: str) -> None:
    """The lines, largest value first, each with its reason in figures. `more` is the command that shows all."""
    ranked = sorted(lines, key=lambda line: -line.value)
    shown = ranked if everything else ranked[:SHOWN]
    heading(f"Order lines ({currency}){'' if len(shown) == len(lines) else f', the {len(shown)} of highest value'}")
    names = ("item", "", "supplier", "quantity", "", "value", "arrives", "status")
    head, *rows = aligned([names, *(_row(line) for line in shown)], right=(3, 5), give=1)
    say_whole(head, "dim")
    for row, line in zip(rows, shown, strict=True):
        say_whole(row, "" if line.status not in ("denied", "failed", "rejected") else "red")
        say(line.sentence or in_figures(line), "dim", indent=2)
    if len(shown) < len(ranked):
        rest = sum(line.value for line in ranked[len(shown) :])
        say(f"{len(ranked) - len(shown)} more lines worth {amount(rest)} {currency}: {more}")


def _row(line: LineView) -> tuple[str, ...]:
    intent = INTENTS.get(line.intent, line.intent)
    return (
        line.item_id,
        line.item,
        line.supplier,
        units(line.quantity),
        line.uom,
        amount(line.value),
        line.expected_arrival,
        f"{line.status} ({told})" if (told := ", ".join(filter(None, (intent, mark_of(line))))) else line.status,
    )


def mark_of(line: LineView) -> str:
    """What the latest plan made of a line, or that an earlier plan ordered it."""
    return "ordered by an earlier plan" if line.under_way else line.change


def in_figures(line: LineView) -> str:
    """Why this quantity, in one sentence of figures; the formula when the figures are others.

    Of a line that a person decided before, that decision: it, and no figure, keeps the line back.
    """
    known = line.figures
    if line.status == "held" and line.notes:
        return line.notes[0]
    if not {"inventory_position", "reorder_point", "lead_time_demand_mean", "safety_stock"} <= set(known):
        return line.formula or ", ".join(line.notes)
    level = (
        f"position {rough(known['inventory_position'])} against level {rough(known['reorder_point'])} = "
        f"{rough(known['lead_time_demand_mean'])} expected demand over lead time and review + "
        f"{rough(known['safety_stock'])} safety stock"
    )
    rivals = [
        f"{name} +{amount(known[key])}"
        for key, name in (
            ("extra_cost_of_ordering_nothing", "ordering nothing"),
            ("extra_cost_of_next_best_source", "next best source"),
        )
        if key in known
    ]
    return f"{level}; {', '.join(rivals)} {line.currency}" if rivals else level


def explain_line(line: LineView) -> None:
    """Everything stored about a line: formula, figures, limits that bind, gates, notes."""
    heading(
        f"{line.item_id} {line.item}: {line.intent} {units(line.quantity)} {line.uom} from {line.supplier} "
        f"({line.supplier_id})"
    )
    say(
        f"{line.unit_price:,.4g} {line.currency} a unit, {amount(line.value)} {line.currency}, landed "
        f"{amount(line.landed_cost)} {line.currency}; ordered {line.order_date}, expected {line.expected_arrival}; "
        f"{line.status}{f', ordered by the earlier {line.run_id}' if line.under_way else ''}."
    )
    say_whole(f"line {line.line_id}", "dim")
    if line.sentence:
        say(line.sentence)
    for reason in line.reasons:
        bullet(reason)
    told = (f"{verdict.effect} by {verdict.rule}: {verdict.reason}" for verdict in line.verdicts if verdict.limit)
    for verdict in dict.fromkeys(told):
        bullet(verdict)
    say("The mathematics", "bold")
    say(f"{in_figures(line)}.", indent=2)
    say(f"{line.policy}: {line.formula}." if line.policy else line.formula, indent=2)
    pairs((FIGURES.get(name, name.replace("_", " ")), f"{value:,.6g}") for name, value in line.figures.items())
    for note in (*line.notes, *(f"Limit: {limit}" for limit in line.binding)):
        bullet(note)


def explain_outlook(outlook: OutlookView) -> None:
    """Where an item stands and what is expected of it."""
    heading(f"{outlook.item_id} {outlook.item}: where it stands")
    if outlook.sentence:
        say(outlook.sentence)
    for reason in outlook.reasons:
        bullet(reason)
    say("The mathematics", "bold")
    bullet(outlook.reason)
    bullet(
        f"{units(outlook.on_hand)} on hand, position {units(outlook.inventory_position)}, covers "
        f"{outlook.days_of_cover:,.0f} days; stock-out probability {share(outlook.stockout_probability, 0)} before the "
        f"next order can help, expected fill rate {share(outlook.fill_rate)}."
    )
    if outlook.forecast_model:
        bullet(f"Demand is {outlook.demand_pattern}; forecast by {outlook.forecast_model}.")
