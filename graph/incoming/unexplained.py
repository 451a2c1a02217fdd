"""Orders that the ERP holds and our books do not explain: under a key that was never sent, or ended here already."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime

from erp.actions import actions_of
from erp.adapter import Permanent
from erp.sandbox import SandboxErp
from erp.sandbox_tables import TAKEN_OVER
from store.audit.journal import TransitionDraft, stage_draft
from store.operations import Operations
from tools.domain.orders import ON_ORDER, Order, OrderStatus, PurchaseOrder, Receipt, in_words

UNEXPLAINED = "unexplained_in_erp"
"""Flag: what was found, by the ERP's reference."""
NEVER_SENT = frozenset(OrderStatus) - ON_ORDER
COUNTS = "It counts as on order, and nothing is bought for its need again; cancel it in the ERP if nobody wants it."


def references(order: PurchaseOrder | Receipt) -> tuple[str, ...]:
    """The ERP's order that a line may belong to: named by its id, or by what stands before the line's number."""
    return tuple(filter(None, (order.order_id, order.order_id.rpartition("/")[0])))


def told_of(operations: Operations, standing: Iterable[PurchaseOrder]) -> Sequence[str]:
    """What was found of the orders that are still open."""
    there = {ref for order in standing for ref in references(order)}
    found: Mapping[str, str] = operations.flag(UNEXPLAINED) or {}
    return [sentence for ref, sentence in found.items() if ref in there]


def note_unexplained(
    operations: Operations, erp: SandboxErp, standing: Sequence[PurchaseOrder], born: Sequence[PurchaseOrder]
) -> None:
    """Store and journal, once each, the open orders of the ERP that our books do not explain.

    `born` are those that were not there at the last reading and that no action of ours refers to.
    """
    known: Mapping[str, str] = operations.flag(UNEXPLAINED) or {}
    there = {ref for order in standing for ref in references(order)}
    kept = {ref: sentence for ref, sentence in known.items() if ref in there}
    found = {**_under_our_keys(operations, erp, born), **_ended_here(operations, standing)}
    new = {ref: sentence for ref, sentence in found.items() if ref not in kept}
    if not new and kept == known:
        return
    now = datetime.now(UTC)
    with operations.together():
        operations.set_flag(UNEXPLAINED, {**kept, **new})
        for ref, sentence in new.items():
            payload = {"erp_ref": ref, "text": sentence}
            draft = TransitionDraft("", "read_back", "unexplained", "ok", now, now, actor="erp", payload=payload)
            stage_draft(operations, draft)


def _under_our_keys(operations: Operations, erp: SandboxErp, born: Sequence[PurchaseOrder]) -> dict[str, str]:
    """Orders under an idempotency key, which only this program gives, that it did not send."""
    keys: dict[str, tuple[str, PurchaseOrder]] = {}
    for order in born:
        for ref in references(order):
            key = _key_of(erp, ref) if ref else ""
            if key:
                keys[ref] = key, order
    if not keys:
        return {}
    ours = {action.key: held for held in operations.orders_in(NEVER_SENT) for action in actions_of(held)}
    return {ref: _never_sent(ref, order, ours.get(key)) for ref, (key, order) in keys.items()}


def _key_of(erp: SandboxErp, ref: str) -> str:
    try:
        key = erp.get_status(ref).key
    except Permanent:
        return ""
    return "" if key.startswith(TAKEN_OVER) else key


def _never_sent(ref: str, order: PurchaseOrder, held: Order | None) -> str:
    ours = f"order {held.order_key}, which is {in_words(held.status)} here" if held else "no order that is known here"
    return f"{_standing(ref, order)} under a key that was never sent: it is {ours}. {COUNTS}"


def _ended_here(operations: Operations, standing: Sequence[PurchaseOrder]) -> dict[str, str]:
    """Orders of ours that have come to their end here and are still open in the ERP."""
    open_refs = {ref: order for order in standing for ref in references(order)}
    ended = [held for held in operations.orders_by_reference(open_refs) if not held.is_open and held.places]
    return {
        held.erp_ref: f"{_standing(held.erp_ref, open_refs[held.erp_ref])} though order {held.order_key} is"
        f" {in_words(held.status)} here. {COUNTS}"
        for held in ended
    }


def _standing(ref: str, order: PurchaseOrder) -> str:
    return f"The ERP holds {ref} ({order.quantity:g} of {order.item_id} from {order.supplier_id}, {order.status})"
