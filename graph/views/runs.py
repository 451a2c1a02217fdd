"""Runs as the doors see them: what starts one, its steps, and the journal of it."""

from datetime import datetime
from enum import StrEnum

from pydantic import Field

from graph.views.base import View


class TriggerKind(StrEnum):
    """What may start a run."""

    ANALYST = "analyst"
    ALERT = "alert"
    SCHEDULE = "schedule"
    CLI = "cli"
    EVAL = "eval"


class Trigger(View):
    """Why a run starts. `item_ids` empty means every item; `alerts` are typed alerts as JSON objects."""

    kind: TriggerKind
    actor: str
    reason: str = ""
    item_ids: tuple[str, ...] = ()
    alerts: tuple[dict[str, object], ...] = ()
    dataset_version: str | None = None


class RunStatus(StrEnum):
    """Where a run stands."""

    RUNNING = "running"
    WAITING = "waiting"
    DONE = "done"
    STOPPED = "stopped"
    FAILED = "failed"


UNDER_WAY = "running"
"""Status of a step that still computes."""


class StepView(View):
    """One node, as progress is shown: a title, one sentence, and how long it took.

    Of one that still computes the sentence says how far it is; it comes again, and once more when it has ended.
    """

    run_id: str
    node: str
    title: str
    summary: str
    seconds: float
    status: str = "ok"
    at: datetime
    done: int = 0
    expected: int = 0
    """Parts of its work that are done, and all of them; only of a step that still computes."""


class RunView(View):
    """A sourcing run in short."""

    run_id: str
    status: RunStatus
    trigger: Trigger
    dataset_version: str
    versions: dict[str, str] = Field(default_factory=dict)
    started_at: datetime
    ended_at: datetime | None = None
    summary: str = ""
    n_lines: int = 0
    order_value: float = 0.0
    currency: str = ""
    pending_approvals: int = 0
    dispatched: int = 0


class AlertView(View):
    """A supplier alert that was received, and what came of it."""

    message_id: str
    source: str
    received_at: datetime
    status: str
    """new, taken, done, failed"""
    kind: str = ""
    node_id: str = ""
    delay_days: int = 0
    until: str = ""
    """Last day on which it is in force; empty for none."""
    run_id: str | None = None
    error: str = ""


class TransitionView(View):
    """One journal row."""

    seq: int
    run_id: str
    node: str
    attempt: int
    step: int
    event: str
    status: str
    started_at: datetime
    ended_at: datetime
    actor: str
    payload: dict[str, object]
    hash: str


class JournalCheckView(View):
    """Result of verifying the hash chain and of comparing it with what the operations database knows."""

    ok: bool
    rows: int
    reason: str = ""
    head_hash: str = ""
    lag_rows: int = 0
    runs: int = 0
    """Runs, decisions and ERP actions of the operations database that were compared with the rows."""
    decisions: int = 0
    actions: int = 0
    uncounted_rows: int = 0
    """Rows from before the operations database counted them: a row added to those would not be found."""

    @property
    def sentence(self) -> str:
        """What was found, and no more than that."""
        if not self.ok:
            return f"The journal does not verify: {self.reason}"
        counted = (_counted(self.runs, "run"), _counted(self.decisions, "decision"))
        known = f"{', '.join(counted)} and {_counted(self.actions, 'ERP action')}"
        uncounted = f" ({self.uncounted_rows:,} of them from before rows were counted)" if self.uncounted_rows else ""
        return f"{self.rows:,} rows{uncounted}, chain unbroken, in agreement with {known} of the operations database"


def _counted(number: int, what: str) -> str:
    return f"{number:,} {what}" if number == 1 else f"{number:,} {what}s"
