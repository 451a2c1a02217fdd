"""Orders by hand, sealed as the gates seal them."""

from datetime import date

from policy_cases import LINE

from tools.domain.orders import Intent, Order, OrderLine, OrderStatus, Route, RouteKind

DAY = date(2026, 3, 2)
FACTS = {"order_value_cents": 2500, "halted": False}
POLICY = "p-1"


def line_of(item_id: str, quantity: float = 10.0, *, price: float = 2.5, intent: Intent = Intent.PLACE) -> OrderLine:
    """A line from the small world's supplier."""
    return OrderLine(
        line_id=f"{item_id}#0",
        intent=intent,
        item_id=item_id,
        offer_id=f"{item_id}|S1",
        quantity=quantity,
        unit_price=price,
        list_price=price,
        value=quantity * price,
        landed_cost=quantity * price,
        currency="USD",
        order_date=DAY,
        expected_arrival=date(2026, 3, 22),
    )


def judged(order: Order) -> Order:
    """The order with the facts that the gates knew of each line."""
    facts = LINE.model_dump()
    return order.changed(lines=tuple(line.model_copy(update={"facts": facts}) for line in order.lines))


def sealed(order: Order) -> Order:
    """The order with the hash and the approval id of its content."""
    content = order.seal(POLICY, FACTS)
    asked = f"ap-{content[:12]}" if order.route.kind is RouteKind.PERSON else ""
    route = order.route.model_copy(
        update={"facts": FACTS, "policy_version": POLICY, "content_hash": content, "approval_id": asked}
    )
    return order.changed(route=route)


def order_of(
    *item_ids: str,
    run_id: str = "run-1",
    supplier_id: str = "S1",
    quantity: float = 10.0,
    status: OrderStatus = OrderStatus.WAITING,
    changes: str = "",
) -> Order:
    """An order of one line an item: for a signature, or on its way by itself when approved."""
    kind = RouteKind.AUTO if status is OrderStatus.APPROVED else RouteKind.PERSON
    intent = Intent.CANCEL if changes else Intent.PLACE
    return sealed(
        Order(
            order_key=f"{run_id}/{supplier_id}/{'+'.join(item_ids)}",
            run_id=run_id,
            supplier_id=supplier_id,
            site_id="MAIN",
            currency="USD",
            changes=changes,
            lines=tuple(line_of(item_id, quantity, intent=intent) for item_id in item_ids),
            status=status,
            route=Route(kind=kind, tier="buyer"),
            proposed_by=("agent:planner", "ana"),
        )
    )
