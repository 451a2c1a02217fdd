"""An operations database and an ERP that answer as they are told, for tests of one attempt at an action."""

from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, cast

from erp.adapter import ActionKind, Capabilities, ErpAdapter, ErpOrder
from erp.outbox import ActionQueue, Outbox
from store.audit.journal import TransitionDraft
from store.operations import OutboxRow
from tools.domain.errors import JitError, StorageOutOfReach
from tools.domain.orders import OpenOrderStatus, Order

SENT = ErpOrder(erp_ref="SB-1", key="k1", status=OpenOrderStatus.SENT)

Answer = ErpOrder | JitError | None


class Queue:
    """The operations database, as far as it says what was asked of it."""

    def __init__(self, *due: OutboxRow, orders: Sequence[Order] = (), approvals: Mapping[str, Any] | None = None):
        self._due = list(due)
        self._orders = {order.order_key: order for order in orders}
        self._approvals = approvals or {}
        self.calls: list[tuple[Any, ...]] = []
        self.halt_after = 1_000
        self.out_of_space = 0

    def lease(self, limit: int = 10, seconds: float = 60.0) -> list[OutboxRow]:
        self.calls.append(("lease", limit, seconds))
        taken, self._due = self._due[:limit], self._due[limit:]
        return taken

    def complete(self, action_key: str, erp_ref: str, response: Mapping[str, Any]) -> None:
        if self.out_of_space:
            self.out_of_space -= 1
            raise StorageOutOfReach("No space.", remedy="Make room.")
        self.calls.append(("complete", action_key, erp_ref, response))

    def note_erp_changes(self, changes: int) -> None:
        self.calls.append(("changes", changes))

    def retry_later(self, action_key: str, error: str, delay: float, **known: Any) -> None:
        self.calls.append(("later", action_key, error, delay, known["may_stand"], known["attempt"]))

    def fail(self, action_key: str, error: str, **known: Any) -> None:
        self.calls.append(("fail", action_key, error, known["may_stand"], known["attempt"]))

    def orders_for(self, order_keys: Iterable[str]) -> dict[str, Order]:
        return {key: self._orders[key] for key in order_keys if key in self._orders}

    def approval(self, approval_id: str) -> Any:
        return self._approvals[approval_id]

    def give_back(self, action_key: str) -> None:
        self.calls.append(("give back", action_key))

    def flag(self, name: str) -> str:
        leased = sum(call[0] == "lease" for call in self.calls)
        return "ana" if name == "halted" and leased >= self.halt_after else ""

    @contextmanager
    def together(self) -> Generator[None]:
        self.calls.append(("begin",))
        yield
        self.calls.append(("end",))

    def named(self, *names: str) -> list[tuple[Any, ...]]:
        return [call for call in self.calls if call[0] in names]


class Erp:
    """An ERP that answers as it is told, in order, and notes what it was asked."""

    def __init__(self, **answers: Sequence[Answer]) -> None:
        self._answers = {name: list(given) for name, given in answers.items()}
        self.calls: list[tuple[Any, ...]] = []
        self.kinds = frozenset(ActionKind)

    def capabilities(self) -> Capabilities:
        return Capabilities(name="told", unique_keys=True, kinds=self.kinds)

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def answer(*given: Any) -> Answer:
            self.calls.append((name, *given))
            told = self._answers[name].pop(0)
            if isinstance(told, JitError):
                raise told
            return told

        return answer


class Rows:
    """Keeps journal rows in order."""

    def __init__(self, queue: Queue) -> None:
        self.drafts: list[TransitionDraft] = []
        self._queue = queue

    def record(self, draft: TransitionDraft) -> None:
        self._queue.calls.append(("journal",))
        self.drafts.append(draft)


def outbox_of(queue: Queue, erp: Erp, **known: Any) -> Outbox:
    return Outbox(cast(ActionQueue, queue), cast(ErpAdapter, erp), **known)
