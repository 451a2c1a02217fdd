"""The history of decisions: who decided what, from which quantity to which, why, and what became of it."""

from collections.abc import Mapping, Sequence

from graph.views.decisions import DecidedLineView, DecisionKind, DecisionView
from terminal.figures import amount, count, moment, program, units
from terminal.screen import bullet, say, say_whole

DID: Mapping[DecisionKind, str] = {
    DecisionKind.APPROVED: "approved",
    DecisionKind.EDITED: "edited",
    DecisionKind.REJECTED: "rejected",
    DecisionKind.WITHDRAWN: "took back",
    DecisionKind.RECONSIDERED: "reconsidered",
    DecisionKind.REPLACED: "replaced",
    DecisionKind.VOID: "made void",
    DecisionKind.AUTOMATIC: "let leave",
}
SHOWN_LINES = 6


def show_decisions(found: Sequence[DecisionView], limit: int) -> None:
    """Decisions, latest first, each with its lines and what became of it."""
    if not found:
        say("No decision of this kind is stored.")
        return
    for decision in found:
        say(f"{moment(decision.at)}  {in_words(decision)}", "bold")
        for line in decision.lines[:SHOWN_LINES]:
            bullet(line_in_words(line, decision.currency))
        if len(decision.lines) > SHOWN_LINES:
            bullet(f"and {count(len(decision.lines) - SHOWN_LINES, 'more line')}")
        if decision.reason:
            bullet(f"Reason: {decision.reason}")
        if decision.became:
            bullet(decision.became, "dim")
        if decision.orders > 1:
            say_whole(f"  Its orders: {program()} decisions --within {decision.group}", "dim")
    if len(found) == limit:
        say_whole(f"Earlier ones: {program()} decisions --before {found[-1].cursor}", "dim")


def in_words(decision: DecisionView) -> str:
    """Who did what to which order, and what it was and is worth."""
    worth = f"{amount(decision.value_before)} {decision.currency}"
    if decision.value_after not in (0.0, decision.value_before):
        worth = f"{amount(decision.value_before)} → {amount(decision.value_after)} {decision.currency}"
    what = f"the order to {decision.supplier}" if decision.orders == 1 else count(decision.orders, "order")
    return f"{decision.actor} {DID[decision.kind]} {what}, {worth}"


def line_in_words(line: DecidedLineView, currency: str) -> str:
    """A line with its quantity, price and value before and after."""
    name = f"{line.item_id} {line.item}" if line.item not in ("", line.item_id) else line.item_id
    price, value = f"{line.before_price:,.4g}", amount(line.before_value)
    if line.after_quantity == 0:
        before = f"{units(line.before_quantity)} {line.uom}".rstrip()
        return f"{name}: {line.intent} {before} at {price} {currency}, {value} {currency} → nothing"
    quantity = units(line.before_quantity)
    if line.changed:
        quantity = f"{quantity} → {units(line.after_quantity)}"
        price = price if line.after_price == line.before_price else f"{price} → {line.after_price:,.4g}"
        value = f"{value} → {amount(line.after_value)}"
    return f"{name}: {line.intent} {quantity} {line.uom}".rstrip() + f" at {price} {currency}, {value} {currency}"
