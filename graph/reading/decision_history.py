"""The history of decisions: who decided what and when, from which quantity to which, and what became of it."""

from collections.abc import Mapping, Sequence

from graph.computation.estimate_desk import EstimateDesk
from graph.stores import Stores
from graph.views.decisions import DecidedLineView, DecisionKind, DecisionView
from graph.views.standing import shown_status
from store.ledger.decision_history import DecisionFilter, DecisionRow
from store.ledger.orders import REPLACED
from tools.domain.datasets import Dataset
from tools.domain.errors import BadInput
from tools.domain.money import Money
from tools.domain.orders import PENDING, Order, OrderLine, OrderStatus

NOTHING_LEFT = frozenset({DecisionKind.REJECTED, DecisionKind.WITHDRAWN, DecisionKind.REPLACED, DecisionKind.VOID})
"""Kinds that leave nothing ordered."""
LONGEST_PAGE = 500
_S = OrderStatus
BECAME: Mapping[OrderStatus, str] = {
    _S.APPROVED: "On its way to the ERP.",
    _S.SENDING: "On its way to the ERP.",
    _S.IN_DOUBT: "It may stand in the ERP; that is being found out.",
    _S.RECEIVED: "Its goods have arrived.",
    _S.PART_RECEIVED: "A part of its goods has arrived.",
    _S.REJECTED: "Nothing was sent.",
    _S.WITHDRAWN: "It was taken back before it left.",
    _S.WAITING: "It waits for another signature.",
    _S.CHANGE_WAITING: "It waits for another signature.",
    _S.GATED: "A gate keeps it back.",
}


class DecisionDesk:
    """Reads pages of decisions, each in one query of the ledger."""

    def __init__(self, stores: Stores, desk: EstimateDesk) -> None:
        self._stores = stores
        self._desk = desk

    def decisions(
        self, item: str = "", supplier: str = "", actor: str = "", within: str = "", limit: int = 50, before: str = ""
    ) -> Sequence[DecisionView]:
        """Latest first. An item is named by its id, a supplier by its id or name, whatever their case."""
        if before and not before.partition("/")[0].isdigit():
            raise BadInput(f"{before!r} is no place in the history.", remedy="Give the cursor of a decision.")
        dataset = self._dataset()
        wanted = DecisionFilter(_item_id(item, dataset), _supplier_id(supplier, dataset), actor, within)
        rows = self._stores.operations.decisions(wanted, max(1, min(limit, LONGEST_PAGE)), before)
        return [decision_view(row, dataset) for row in rows]

    def _dataset(self) -> Dataset | None:
        version = self._stores.warehouse.active_version()
        return self._desk.dataset(version) if version else None


def _item_id(name: str, dataset: Dataset | None) -> str:
    known = dataset.items if dataset else {}
    return next((item_id for item_id in known if item_id.casefold() == name.casefold()), name)


def _supplier_id(name: str, dataset: Dataset | None) -> str:
    known = dataset.suppliers.values() if dataset else ()
    wanted = name.casefold()
    return next((one.supplier_id for one in known if wanted in (one.supplier_id.casefold(), one.name.casefold())), name)


def decision_view(row: DecisionRow, dataset: Dataset | None) -> DecisionView:
    """A decision with what it made of each line, or how many orders an event decided alike."""
    kind, order = _kind(row), row.asked
    lines = _lines(row, kind) if row.orders == 1 else ()
    known = dataset.suppliers.get(order.supplier_id) if dataset else None
    whole = float(Money(minor=row.value_cents, currency=order.currency).amount)
    after = 0.0 if kind in NOTHING_LEFT else whole
    return DecisionView(
        cursor=row.cursor,
        group=row.group,
        kind=kind,
        at=row.at,
        actor=row.actor or "policy",
        reason="" if kind is DecisionKind.REPLACED else row.reason,
        orders=row.orders,
        run_id=order.run_id,
        order_key=order.order_key,
        approval_id=row.approval_id,
        supplier_id=order.supplier_id,
        supplier=known.name if known and known.name else order.supplier_id,
        currency=order.currency,
        value_before=sum(line.before_value for line in lines) if lines else whole,
        value_after=sum(line.after_value for line in lines) if lines else after,
        lines=lines,
        status=shown_status(row.latest) if row.orders == 1 else "",
        erp_reference=row.latest.erp_ref if row.orders == 1 else "",
        became=_became(row.latest, kind) if row.orders == 1 else "",
    )


def _kind(row: DecisionRow) -> DecisionKind:
    if row.before == row.after and not row.decision:
        return DecisionKind.RECONSIDERED
    if row.decision == "edit":
        return DecisionKind.EDITED
    if row.after == _S.REJECTED:
        return DecisionKind.REJECTED
    if row.after == _S.SUPERSEDED:
        return DecisionKind.REPLACED if row.reason == REPLACED else DecisionKind.VOID
    if row.after in (_S.WITHDRAWN, _S.CHANGE_SENT):
        return DecisionKind.WITHDRAWN
    return DecisionKind.APPROVED if row.before in PENDING or row.decision else DecisionKind.AUTOMATIC


def _lines(row: DecisionRow, kind: DecisionKind) -> tuple[DecidedLineView, ...]:
    """Lines as they were asked for and as they were left; an edit may have dropped some, or all."""
    nothing = kind in NOTHING_LEFT or (row.after == _S.REJECTED and kind is not DecisionKind.RECONSIDERED)
    left = {} if nothing else {line.line_id: line for line in row.became.lines}
    return tuple(_line(line, left.get(line.line_id)) for line in row.asked.lines)


def _line(asked: OrderLine, left: OrderLine | None) -> DecidedLineView:
    return DecidedLineView(
        line_id=asked.line_id,
        intent=asked.intent.value,
        item_id=asked.item_id,
        item=asked.item,
        uom=asked.uom,
        before_quantity=asked.quantity,
        after_quantity=left.quantity if left else 0.0,
        before_price=asked.unit_price,
        after_price=left.unit_price if left else asked.unit_price,
        before_value=asked.value,
        after_value=left.value if left else 0.0,
    )


def _became(latest: Order, kind: DecisionKind) -> str:
    """Where the order stands now, in a sentence."""
    named = f" as {latest.erp_ref}" if latest.erp_ref else ""
    if kind is DecisionKind.EDITED and latest.status is _S.REJECTED:
        return "Nothing was left of it; nothing was sent."
    if kind in (DecisionKind.REPLACED, DecisionKind.VOID):
        return "Nothing was sent."
    if kind is DecisionKind.RECONSIDERED:
        return "Its lines are proposed again as they are computed."
    if latest.status is _S.SUPERSEDED:
        void = "A newer plan replaced it" if latest.reason == REPLACED else f"It became void: {latest.reason}"
        return f"{void}. Nothing was sent."
    if latest.status in (_S.PLACED, _S.CONFIRMED):
        return f"It stands in the ERP{named}."
    if latest.status is _S.CHANGE_SENT:
        return f"The ERP was asked to cancel it{named}." if latest.places else "The ERP was asked to change its order."
    if latest.status is _S.CANCELLED:
        return f"Cancelled in the ERP{named}."
    if latest.status is _S.FAILED:
        return f"The ERP refused it: {latest.reason or 'no reason given'}."
    return BECAME.get(latest.status, "")
