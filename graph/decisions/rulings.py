"""What a person's ruling on an order says of its lines: facts that later plans know."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date

from graph.run.state import Json
from tools.domain.decisions import LineDecision, LineRuling
from tools.domain.orders import Order


def decisions_on(
    order: Order,
    approval_id: str,
    ruling: LineRuling,
    units: Mapping[str, float],
    actor: str,
    reason: str,
    until: date | None,
    alerts: Sequence[Json],
) -> list[LineDecision]:
    """What a person's ruling on an order says of its lines. `units`: what is left of each line, by line id."""
    told = frozenset(str(alert["alert_id"]) for alert in alerts)
    return [
        LineDecision(
            approval_id=approval_id,
            order_key=order.order_key,
            line_id=line.line_id,
            item_id=line.item_id,
            site_id=order.site_id,
            supplier_id=order.supplier_id,
            ruling=ruling,
            proposed_units=line.quantity,
            decided_units=units.get(line.line_id, 0.0),
            list_price=line.list_price,
            stockout_bp=int(line.facts.get("stockout_bp", 0)),
            actor=actor,
            reason=reason,
            changes=order.changes,
            alert_ids=told,
            until=until,
        )
        for line in order.lines
    ]


def reconsidered(decisions: Sequence[LineDecision], actor: str, reason: str) -> list[LineDecision]:
    """The same lines, no longer held."""
    return [
        replace(made, ruling=LineRuling.RECONSIDER, actor=actor, reason=reason, until=None)
        for made in decisions
        if made.ruling in (LineRuling.EDIT, LineRuling.REJECT)
    ]
