"""A person's edit of an order: new quantities at the offer's price, through the line gates again."""

from collections.abc import Mapping
from typing import Any

from graph import facts, records
from graph.context import Context
from graph.state import Json
from policies.gates import Effect, Verdict, evaluate
from tools.domain.errors import BadInput


def edited_order(
    order: Mapping[str, Any], edits: Mapping[str, float], run_id: str, context: Context
) -> tuple[Json, list[Verdict]]:
    """The order with its new quantities, and the verdicts of every line that is left; 0 units drop a line."""
    scope = records.stored_scope(run_id, context.warehouse)
    stored = context.warehouse.artifact(run_id, "plan", "choice") or {}
    plan, ledger = context.desk.plan(scope, stored["choices"]), facts.ledger_of(context)
    offers = {offer.offer_id: offer for offer in context.desk.dataset(scope.dataset_version).offers}
    lines: list[Json] = []
    verdicts: list[Verdict] = []
    for line in order["lines"]:
        quantity = float(edits.get(line["line_id"], line["quantity"]))
        if quantity <= 0:
            continue
        listed = offers[line["offer_id"]].unit_price_at(quantity)
        changed = _with_quantity(line, quantity, listed)
        known = facts.line_facts(changed, plan, context.desk, scope, ledger)
        lines.append({**changed, "facts": known.model_dump()})
        verdicts += evaluate(known, context.rules)
    return {**order, "lines": lines, "edited": True}, verdicts


def _with_quantity(line: Json, quantity: float, listed: float) -> Json:
    """The line at another quantity; an agreed price holds only while the list price is the one it was agreed on."""
    same_break = listed == line["list_price"]
    price = line["unit_price"] if same_break else listed
    freight = (line["landed_cost"] - line["value"]) * quantity / line["quantity"]
    value = quantity * price
    return {
        **line,
        "quantity": quantity,
        "unit_price": price,
        "list_price": listed,
        "value": value,
        "landed_cost": value + freight,
    }


def refuse_denied(verdicts: list[Verdict]) -> None:
    """BadInput with the gates' reasons when a line of an edit would be denied."""
    denied = [verdict.reason for verdict in verdicts if verdict.effect is Effect.DENY]
    if denied:
        raise BadInput(
            f"This edit would be denied. {' '.join(dict.fromkeys(denied))}",
            remedy="Choose a quantity within the offer's minimum, step and maximum, or reject the order.",
        )
