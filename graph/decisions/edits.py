"""A person's edit of an order: new quantities at the offer's price, through the line gates again."""

from collections.abc import Mapping

from graph.computation.desk import Scope
from graph.context import Context
from graph.facts import order_facts as facts
from graph.facts import records
from graph.run.gates import below_minimum, route_order
from graph.run.transitions import stable_hash
from graph.views.orders import EditedLineView, EditPreviewView
from policies.facts import LineFacts
from policies.gates import Effect, Gate, Verdict, evaluate
from tools.domain.catalogue import Offer
from tools.domain.errors import BadInput
from tools.domain.orders import Order, OrderLine
from tools.domain.plans import OrderPlan


def edited_order(
    order: Order, edits: Mapping[str, float], editor: str, context: Context
) -> tuple[Order | None, list[Verdict]]:
    """The order with its new quantities through the gates again, and the verdicts of its lines.

    0 units drop a line; an order without lines is none. Its editor becomes a proposer, so somebody else signs.
    """
    scope, ledger = records.stored_scope(order.run_id, context.warehouse), facts.ledger_of(context)
    offers = context.desk.dataset(scope.dataset_version).offer_of
    lines: list[OrderLine] = []
    verdicts: list[Verdict] = []
    for line in order.lines:
        quantity = float(edits.get(line.line_id, line.quantity))
        if quantity > 0:
            changed = line.at_quantity(quantity, offers[line.offer_id].unit_price_at(quantity))
            if line.planned_by and quantity == line.quantity:
                known = LineFacts.model_validate(line.facts)
            else:
                made_for, plan = _planned(line.planned_by or order.run_id, context)
                known = facts.line_facts(changed, plan, context.desk, made_for, ledger)
            lines.append(changed.model_copy(update={"facts": known.model_dump()}))
            verdicts += evaluate(known, context.rules)
    if not lines:
        return None, verdicts
    kept = [raw for raw in order.route.verdicts if raw.gate == Gate.DRIFT.value]
    inherited = [*verdicts, *(records.verdict_from(raw.model_dump()) for raw in kept)]
    draft = order.changed(lines=tuple(lines), edited=True)
    inherited += below_minimum(draft, scope.dataset_version, context)
    beside = facts.standing(order.run_id, order.item_ids, context)
    return asked_anew(route_order(draft, inherited, beside, context, editor), order), verdicts


def _planned(run_id: str, context: Context) -> tuple[Scope, OrderPlan]:
    """What a run's plan was made for, and the plan."""
    scope = records.stored_scope(run_id, context.warehouse)
    stored = context.warehouse.artifact(run_id, "plan", "choice") or {}
    return scope, context.desk.plan(scope, stored["choices"])


def asked_anew(edited: Order, shown: Order) -> Order:
    """The edited order under an approval of its own, even where its content was asked for before."""
    if not edited.route.approval_id:
        return edited
    asked = next_approval(shown.route.approval_id, edited.route.content_hash)
    return edited.changed(route=edited.route.model_copy(update={"approval_id": asked}))


def next_approval(approval_id: str, content_hash: str) -> str:
    """Id of the approval that an edit under another one opens for what it left."""
    return f"ap-{stable_hash([approval_id, content_hash])[:12]}"


def previewed(order: Order, edits: Mapping[str, float], offers: Mapping[str, Offer]) -> EditPreviewView:
    """What an order would cost at these quantities, by the very rule that saves it. `offers` by id."""
    lines: list[EditedLineView] = []
    for line in order.lines:
        quantity = float(edits.get(line.line_id, line.quantity))
        listed = offers[line.offer_id].unit_price_at(quantity)
        price = line.price_at(quantity, listed)
        told = EditedLineView(
            line_id=line.line_id,
            quantity=quantity,
            unit_price=price,
            value=quantity * price,
            price_rule=_price_rule(line, quantity, listed),
        )
        lines.append(told)
    return EditPreviewView(lines=tuple(lines), value=sum(line.value for line in lines), currency=order.currency)


def _price_rule(line: OrderLine, quantity: float, listed: float) -> str:
    """Why the price is what it is, where something was agreed or the list price is another one."""
    agreed, least = line.agreement
    if agreed is not None and quantity < least:
        return f"List price: the agreed {agreed:,.2f} holds from {least:,.0f} up."
    if agreed is not None:
        return "The list price is lower than the agreed one." if listed < agreed else f"Agreed from {least:,.0f} up."
    return "" if listed == line.list_price else "Price break at this quantity."


def refuse_denied(verdicts: list[Verdict]) -> None:
    """BadInput with the gates' reasons when a line of an edit would be denied."""
    denied = [verdict.reason for verdict in verdicts if verdict.effect is Effect.DENY]
    if denied:
        raise BadInput(
            f"This edit would be denied. {' '.join(dict.fromkeys(denied))}",
            remedy="Choose a quantity within the offer's minimum, step and maximum, or reject the order.",
        )
