"""A person's edit of an order: new quantities at the offer's price, through the line gates again."""

from collections.abc import Mapping

from graph import facts, records
from graph.context import Context
from graph.gates import route_order
from policies.gates import Effect, Gate, Verdict, evaluate
from tools.domain.errors import BadInput
from tools.domain.orders import Order, OrderLine


def edited_order(
    order: Order, edits: Mapping[str, float], editor: str, context: Context
) -> tuple[Order | None, list[Verdict]]:
    """The order with its new quantities through the gates again, and the verdicts of its lines.

    0 units drop a line; an order without lines is none. Its editor becomes a proposer, so somebody else signs.
    """
    scope = records.stored_scope(order.run_id, context.warehouse)
    stored = context.warehouse.artifact(order.run_id, "plan", "choice") or {}
    plan, ledger = context.desk.plan(scope, stored["choices"]), facts.ledger_of(context)
    offers = {offer.offer_id: offer for offer in context.desk.dataset(scope.dataset_version).offers}
    lines: list[OrderLine] = []
    verdicts: list[Verdict] = []
    for line in order.lines:
        quantity = float(edits.get(line.line_id, line.quantity))
        if quantity > 0:
            changed = with_quantity(line, quantity, offers[line.offer_id].unit_price_at(quantity))
            known = facts.line_facts(changed, plan, context.desk, scope, ledger)
            lines.append(changed.model_copy(update={"facts": known.model_dump()}))
            verdicts += evaluate(known, context.rules)
    if not lines:
        return None, verdicts
    kept = [raw for raw in order.route.verdicts if raw.gate == Gate.DRIFT.value]
    inherited = [*verdicts, *(records.verdict_from(raw.model_dump()) for raw in kept)]
    draft = order.changed(lines=tuple(lines), edited=True)
    beside = facts.standing(order.run_id, order.item_ids, context)
    return route_order(draft, inherited, editor, beside, context), verdicts


def with_quantity(line: OrderLine, quantity: float, listed: float) -> OrderLine:
    """The line at another quantity; an agreed price holds only while the list price is the one it was agreed on."""
    price = line.unit_price if listed == line.list_price else listed
    freight = (line.landed_cost - line.value) * quantity / line.quantity
    value = quantity * price
    changed = {"quantity": quantity, "unit_price": price, "list_price": listed, "value": value}
    return line.model_copy(update={**changed, "landed_cost": value + freight})


def refuse_denied(verdicts: list[Verdict]) -> None:
    """BadInput with the gates' reasons when a line of an edit would be denied."""
    denied = [verdict.reason for verdict in verdicts if verdict.effect is Effect.DENY]
    if denied:
        raise BadInput(
            f"This edit would be denied. {' '.join(dict.fromkeys(denied))}",
            remedy="Choose a quantity within the offer's minimum, step and maximum, or reject the order.",
        )
