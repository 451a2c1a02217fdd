"""The only writer to an ERP: leased actions become orders, each exactly once."""

import logging
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Protocol

from pydantic import ValidationError

from erp.actions import actions_of, taking_back
from erp.adapter import (
    ActionKind,
    AuthFailed,
    ConflictFound,
    ErpAdapter,
    ErpOrder,
    InDoubt,
    OrderAction,
    Permanent,
    Retryable,
)
from store.audit.journal import TransitionDraft
from store.operations import ApprovalRow, OutboxRow
from tools.domain.errors import IntegrityBroken, JitError, StorageOutOfReach
from tools.domain.orders import OpenOrderStatus, Order, OrderStatus, RouteKind, in_words

SENT_FOR = (OrderStatus.SENDING, OrderStatus.IN_DOUBT, OrderStatus.CHANGE_SENT)
"""Statuses in which the ERP may be asked for something."""
HALTED_FLAG = "halted"
LEASE_SECONDS = 60.0
MAX_ATTEMPTS = 8
FIRST_RETRY_SECONDS = 2.0
LONGEST_RETRY_SECONDS = 300.0
LOG = logging.getLogger(__name__)


class ActionQueue(Protocol):
    """What the outbox needs of the operations database."""

    def lease(self, limit: int = 10, seconds: float = 60.0) -> list[OutboxRow]:
        """Take due actions; an expired lease counts as due again."""
        ...

    def complete(self, action_key: str, erp_ref: str, response: Mapping[str, Any]) -> None:
        """The ERP did it."""
        ...

    def note_erp_changes(self, changes: int) -> None:
        """The ERP was written that often by now."""
        ...

    def retry_later(
        self, action_key: str, error: str, delay: float, *, may_stand: bool | None = False, attempt: int | None = None
    ) -> None:
        """Due again in `delay` seconds; `may_stand` says whether the ERP may have done it, None for unknown."""
        ...

    def fail(self, action_key: str, error: str, *, may_stand: bool | None = False, attempt: int | None = None) -> None:
        """Given up to a person."""
        ...

    def orders_for(self, order_keys: Iterable[str]) -> dict[str, Order]:
        """Orders of the ledger by key."""
        ...

    def approval(self, approval_id: str) -> ApprovalRow:
        """One approval."""
        ...

    def give_back(self, action_key: str) -> None:
        """Due again at once, unless it was settled."""
        ...

    def flag(self, name: str) -> Any:
        """A flag of the installation."""
        ...

    def together(self) -> AbstractContextManager[None]:
        """One transaction around several changes."""
        ...


class DispatchLog(Protocol):
    """What the outbox needs of the journal."""

    def record(self, draft: TransitionDraft) -> object:
        """Write one row."""
        ...


@dataclass(frozen=True, slots=True)
class Dispatched:
    """What became of one attempt. `status`: done, retried or failed."""

    action_key: str
    run_id: str
    order_key: str
    status: str
    erp_ref: str | None = None
    error: str | None = None


@dataclass(frozen=True, slots=True)
class DispatchReport:
    """What one drain did."""

    attempts: tuple[Dispatched, ...] = ()
    halted: bool = False
    stopped: str = ""
    """Why the drain ended early: the ERP refused our credentials."""

    @property
    def done(self) -> tuple[str, ...]:
        """Keys of the actions that the ERP has carried out."""
        return self._keys("done")

    @property
    def retried(self) -> tuple[str, ...]:
        """Keys of the actions that are due again later."""
        return self._keys("retried")

    @property
    def failed(self) -> tuple[str, ...]:
        """Keys of the actions given up to a person."""
        return self._keys("failed")

    def _keys(self, status: str) -> tuple[str, ...]:
        return tuple(attempt.action_key for attempt in self.attempts if attempt.status == status)


@dataclass(slots=True)
class _Trace:
    """Whether the ERP may have done an action by now; None where only earlier attempts can tell."""

    may_stand: bool | None

    def may_stand_after(self, outcome: JitError) -> bool | None:
        """The same, given how the attempt ended."""
        return True if isinstance(outcome, (InDoubt, ConflictFound)) else self.may_stand


@dataclass(frozen=True)
class Outbox:
    """Drains the operations database's outbox into an ERP.

    An action is leased before it is sent. One whose earlier attempt may have reached the ERP (its process died,
    or the ERP did not answer) is looked up by its key before anything is sent again. The key is unique in the
    ERP too, so that two drains of the same action still make one order.
    """

    operations: ActionQueue
    adapter: ErpAdapter
    journal: DispatchLog | None = None
    lease_seconds: float = field(default=LEASE_SECONDS, kw_only=True)
    erp_changes: Callable[[], int] = field(default=lambda: 0, kw_only=True)
    """How often the ERP was written, where it counts that: stored with what it has done."""
    _cut_off: set[str] = field(default_factory=set[str], init=False, repr=False)
    """Keys of actions leased here whose attempt a storage fault ended: given back at the next drain."""

    def drain(self, run_id: str | None = None) -> DispatchReport:
        """Send everything that is due; nothing while dispatch is halted. With `run_id`, report on that run only."""
        attempts: list[Dispatched] = []
        for action_key in tuple(self._cut_off):
            self.operations.give_back(action_key)
            self._cut_off.discard(action_key)
        halted, stopped = self._halted(), ""
        while not halted and not stopped and (rows := self.operations.lease(1, self.lease_seconds)):
            for row in rows:
                attempt, stopped = self._try(row)
                attempts.append(attempt)
            halted = self._halted()
        shown = tuple(attempt for attempt in attempts if run_id in (None, attempt.run_id))
        return DispatchReport(shown, halted, stopped)

    def _halted(self) -> bool:
        return bool(self.operations.flag(HALTED_FLAG))

    def _try(self, row: OutboxRow) -> tuple[Dispatched, str]:
        """One attempt; when a database takes nothing, the action is given back once it does."""
        try:
            return self._dispatch(row)
        except StorageOutOfReach:
            self._cut_off.add(row.action_key)
            raise

    def _dispatch(self, row: OutboxRow) -> tuple[Dispatched, str]:
        """One attempt, settled in the operations database; the text says why the drain must end, if it must."""
        started, trace = datetime.now(UTC), _Trace(None if row.attempts > 1 else False)
        try:
            outcome: ErpOrder | JitError = self._carry_out(row, trace)
        except (Retryable, InDoubt, AuthFailed, Permanent, ConflictFound, IntegrityBroken) as error:
            outcome = error
        except ValidationError as error:
            outcome = Permanent(str(error), remedy="Correct the order.", action_key=row.action_key)
        with self.operations.together():
            attempt = self._settle(row, outcome, trace)
            self._note(row, attempt, started)
        return attempt, str(outcome) if isinstance(outcome, AuthFailed) else ""

    def _settle(self, row: OutboxRow, outcome: ErpOrder | JitError, trace: "_Trace") -> Dispatched:
        """Store what came of an attempt, and whether the order may stand in the ERP."""
        if isinstance(outcome, ErpOrder):
            self.operations.complete(row.action_key, outcome.erp_ref, outcome.model_dump(mode="json"))
            self.operations.note_erp_changes(self.erp_changes())
            return _attempt(row, "done", erp_ref=outcome.erp_ref)
        may_stand, key = trace.may_stand_after(outcome), row.action_key
        if isinstance(outcome, (Retryable, InDoubt)):
            return self._put_off(row, outcome, may_stand)
        if isinstance(outcome, AuthFailed):
            delay = LONGEST_RETRY_SECONDS
            self.operations.retry_later(key, str(outcome), delay, may_stand=may_stand, attempt=row.attempts)
            return _attempt(row, "retried", error=str(outcome))
        self.operations.fail(key, str(outcome), may_stand=may_stand, attempt=row.attempts)
        return _attempt(row, "failed", error=str(outcome))

    def _put_off(self, row: OutboxRow, error: JitError, may_stand: bool | None) -> Dispatched:
        """Later again; to a person after too many tries, or when it is in doubt for the second time running."""
        in_doubt_again = isinstance(error, InDoubt) and (row.error or "").startswith(f"[{InDoubt.code}]")
        if in_doubt_again or row.attempts >= MAX_ATTEMPTS:
            self.operations.fail(row.action_key, str(error), may_stand=may_stand, attempt=row.attempts)
            return _attempt(row, "failed", error=str(error))
        delay = min(LONGEST_RETRY_SECONDS, FIRST_RETRY_SECONDS * 2 ** (row.attempts - 1))
        self.operations.retry_later(row.action_key, str(error), delay, may_stand=may_stand, attempt=row.attempts)
        return _attempt(row, "retried", error=str(error))

    def _carry_out(self, row: OutboxRow, trace: "_Trace") -> ErpOrder:
        """The order after the action: found by key if it was carried out before, else sent now.

        The row's key is the idempotency key, whatever the payload says.
        """
        self._must_be_decided(row)
        action = OrderAction.model_validate({**row.payload, "key": row.action_key})
        if action.kind not in self.adapter.capabilities().kinds:
            raise Permanent(f"This ERP cannot {action.kind}.", remedy="Do it there by hand.", action_key=row.action_key)
        order = self.adapter.find_by_key(action.key) if row.attempts > 1 else None
        trace.may_stand = order is not None
        if order is None:
            order = self._send(action)
        trace.may_stand = True
        if action.kind is ActionKind.PLACE and order.status is OpenOrderStatus.DRAFT:
            order = self._release(order, f"{action.key}:confirm")
        return order

    def _must_be_decided(self, row: OutboxRow) -> None:
        """IntegrityBroken unless the order is the one that was gated, signed where a gate says so, and not ended."""
        order = self.operations.orders_for([row.order_key]).get(row.order_key)
        if order is None:
            return
        intact = order.is_intact and order.status in SENT_FOR and _asks_for(order, row)
        if intact and order.route.kind is RouteKind.PERSON:
            stored = self.operations.approval(order.route.approval_id)
            intact = stored.status == "approved" and stored.content_hash == order.route.content_hash
        if not intact:
            raise IntegrityBroken(
                f"Order {order.order_key} is not the one that was approved; it is {in_words(order.status)}.",
                remedy="Plan again; `jit journal --verify` shows whether the log was changed.",
                order_key=order.order_key,
            )

    def _send(self, action: OrderAction) -> ErpOrder:
        """Write once. An unanswered or refused write is looked up at once; a record with our key is adopted."""
        write = {
            ActionKind.PLACE: self.adapter.submit,
            ActionKind.AMEND: self.adapter.amend,
            ActionKind.HOLD: self.adapter.amend,
            ActionKind.EXPEDITE: self.adapter.expedite,
            ActionKind.CANCEL: self.adapter.cancel,
        }[action.kind]
        try:
            return write(action)
        except (InDoubt, ConflictFound):
            found = self.adapter.find_by_key(action.key)
            if found is None:
                raise
            return found

    def _release(self, order: ErpOrder, key: str) -> ErpOrder:
        """Confirm a draft; when that is in doubt or refused, its state tells whether it happened."""
        try:
            return self.adapter.confirm(order.erp_ref, key)
        except (InDoubt, ConflictFound, Permanent):
            now = self.adapter.get_status(order.erp_ref)
            if now.status is OpenOrderStatus.DRAFT:
                raise
            return now

    def _note(self, row: OutboxRow, attempt: Dispatched, started: datetime) -> None:
        LOG.info("%s %s: %s %s", row.kind, row.action_key, attempt.status, attempt.erp_ref or attempt.error)
        if self.journal is None:
            return
        payload = {
            "action_key": row.action_key,
            "order_key": row.order_key,
            "kind": row.kind,
            "approval_id": row.approval_id,
            "outcome": attempt.status,
            "erp_ref": attempt.erp_ref,
            "error": attempt.error,
        }
        self.journal.record(
            TransitionDraft(
                run_id=row.run_id,
                node="outbox",
                event="erp",
                status="ok" if attempt.status == "done" else "error",
                started_at=started,
                ended_at=datetime.now(UTC),
                attempt=row.attempts,
                actor="outbox",
                payload=payload,
            )
        )


def _asks_for(order: Order, row: OutboxRow) -> bool:
    """Whether an action is, field by field, one that the order asks for: as it was decided, or as it is taken back."""
    taken_back = order.status is OrderStatus.CHANGE_SENT
    asked = [taking_back(row.action_key, order.erp_ref)] if taken_back else actions_of(order)
    wanted = [(one.kind.value, one.model_dump(mode="json", exclude={"key"})) for one in asked]
    return (row.kind, {name: value for name, value in row.payload.items() if name != "key"}) in wanted


def _attempt(row: OutboxRow, status: str, *, erp_ref: str | None = None, error: str | None = None) -> Dispatched:
    return Dispatched(row.action_key, row.run_id, row.order_key, status, erp_ref, error)
