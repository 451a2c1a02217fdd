"""The operations database: everything pending, in SQLite (WAL) or PostgreSQL, chosen by URL."""

from store.accounts import ROLES, Message, Notes, User
from store.audit.chain import JournalHead
from store.audit.home_mark import HomeMark
from store.audit.staging import StagedRow, Staging
from store.audit.witness import Witness
from store.changes import Changes
from store.database import Database, OperationsOutOfReach
from store.ledger.approvals import ApprovalBook, ApprovalRow
from store.ledger.decision_history import DecisionFilter, DecisionRow, Decisions
from store.ledger.order_book import Window
from store.ledger.orders import LeftOrder, Moved, Past, Plan
from store.ledger.outbox import OutboxRow, QueuedActions
from store.ledger.publications import Publication, Publications
from store.ledger.rulings import Ruling, Rulings
from store.runs import Inbox, InboxRow, RunBook, RunRow
from store.upkeep import OperationsSize, Upkeep

__all__ = [
    "ROLES",
    "ApprovalRow",
    "Database",
    "DecisionFilter",
    "DecisionRow",
    "InboxRow",
    "JournalHead",
    "LeftOrder",
    "Message",
    "Moved",
    "Operations",
    "OperationsOutOfReach",
    "OperationsSize",
    "OutboxRow",
    "Past",
    "Plan",
    "Publication",
    "Ruling",
    "RunRow",
    "StagedRow",
    "User",
    "Window",
]


class Operations(
    RunBook,
    Inbox,
    ApprovalBook,
    Rulings,
    Publications,
    Decisions,
    QueuedActions,
    Notes,
    Staging,
    Changes,
    Upkeep,
    Witness,
    HomeMark,
):
    """Runs, inbox, the ledger of orders, approvals, outbox, users, flags, conversation and journal staging.

    Safe across threads. Several processes may open it at once. `Operations("sqlite:///.jit/operations.sqlite")` or
    `Operations("postgresql://user@host/name")`.
    """

    def __enter__(self) -> "Operations":
        return self

    def release_leases(self) -> None:
        """Make leased actions and messages due at once: for the one process of a home, when it starts."""
        self._change("UPDATE outbox SET leased_until = 0 WHERE status = 'leased'", {})
        self._change("UPDATE inbox SET leased_until = 0 WHERE status = 'taken'", {})
