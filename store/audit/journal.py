"""The journal: staged in the operations database, projected in order into the warehouse, hash-chained."""

import logging
import threading
import uuid
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any, NamedTuple

import orjson

from store.audit.agreement import Agreement, compare
from store.audit.chain import GENESIS, JournalCheck, JournalHead, Transition, chain, chained_hash
from store.background import BackgroundWork
from store.operations import Operations, StagedRow
from store.warehouse import Warehouse
from tools.domain.errors import StorageOutOfReach

__all__ = ["GENESIS", "Journal", "JournalCheck", "JournalLag", "Transition", "TransitionDraft", "chained_hash"]

LOG = logging.getLogger(__name__)
PROJECT_EVERY_SECONDS = 0.2
BATCH_ROWS = 1000
"""Rows of one projection. A crash leaves at most this many rows both projected and staged."""


@dataclass(frozen=True, slots=True)
class TransitionDraft:
    """A transition before it has its place and its hash."""

    run_id: str
    node: str
    event: str
    status: str
    started_at: datetime
    ended_at: datetime
    attempt: int = 1
    step: int = 0
    trigger: str = ""
    actor: str = ""
    model: str | None = None
    tokens_in: int | None = None
    tokens_out: int | None = None
    input_hash: str = ""
    output_hash: str = ""
    payload: Mapping[str, Any] = field(default_factory=dict[str, Any])
    versions: Mapping[str, str] = field(default_factory=dict[str, str])
    checkpoint_ns: str = ""


class JournalLag(NamedTuple):
    """How far the warehouse is behind: rows that wait, and the age of the oldest in seconds."""

    rows: int
    seconds: float


def stage_draft(operations: Operations, draft: TransitionDraft) -> str:
    """Stage one transition where no warehouse is open. Returns the row's own id."""
    body = asdict(draft)
    body["started_at"] = draft.started_at.astimezone(UTC).isoformat()
    body["ended_at"] = draft.ended_at.astimezone(UTC).isoformat()
    text = orjson.dumps(body, default=str, option=orjson.OPT_NON_STR_KEYS | orjson.OPT_SERIALIZE_NUMPY)
    draft_id = uuid.uuid4().hex
    operations.stage(draft_id, draft.run_id, text.decode())
    return draft_id


class Journal:
    """One writer: staging keeps the order, the projector moves it into the warehouse."""

    def __init__(self, operations: Operations, warehouse: Warehouse) -> None:
        self._operations = operations
        self._warehouse = warehouse
        self._lock = threading.Lock()
        self.projector = BackgroundWork("journal", self._project_all, PROJECT_EVERY_SECONDS)
        """Moves what is staged, in the background."""

    def record(self, draft: TransitionDraft) -> str:
        """Stage one transition with one insert; safe from any thread. Returns the row's own id."""
        return stage_draft(self._operations, draft)

    @contextmanager
    def still(self) -> Generator[None]:
        """Nothing is projected until the block ends."""
        with self._lock:
            yield

    def project(self) -> int:
        """Move every staged row into the warehouse in order; returns how many it added.

        Rows leave staging only after the warehouse has committed them. A crash between the two leaves them in
        both, and the next projection recognises them by their ids among the warehouse's last rows.
        """
        added = 0
        with self._lock:
            while staged := self._operations.staged(BATCH_ROWS):
                rows = self._chained(staged)
                last_row = max(row.id for row in staged)
                self._operations.hand_over(last_row)
                self._warehouse.append_transitions(rows, last_row)
                last = JournalHead(rows[-1].seq, rows[-1].hash) if rows else self._warehouse.journal_head()
                self._operations.unstage([row.id for row in staged], last)
                added += len(rows)
        return added

    def _chained(self, staged: Sequence[StagedRow]) -> list[Transition]:
        """The staged rows that the warehouse does not hold yet, in their places after its last one."""
        known = self._warehouse.last_draft_ids(BATCH_ROWS)
        fresh = [(row.draft_id, orjson.loads(row.body)) for row in staged if row.draft_id not in known]
        return chain(fresh, self._warehouse.journal_head())

    def _project_all(self) -> bool:
        self.project()
        return False

    def transitions(self, run_id: str | None = None) -> list[Transition]:
        """Rows in order, everything staged included, whether or not the warehouse can take it at present."""
        try:
            self.project()
        except StorageOutOfReach as error:
            LOG.warning("The journal is read while it cannot be projected: %s", error)
            with self._lock:
                waiting = self._chained(self._operations.staged(BATCH_ROWS))
                stored = self._warehouse.transitions(run_id)
            return [*stored, *(row for row in waiting if run_id in (None, row.run_id))]
        return self._warehouse.transitions(run_id)

    def attempts(self, run_id: str) -> dict[str, int]:
        """Highest attempt so far of each task of a run, by checkpoint namespace."""
        found: dict[str, int] = {}
        for row in self.transitions(run_id):
            if row.event == "node":
                namespace = row.body["checkpoint_ns"]
                found[namespace] = max(found.get(namespace, 0), row.attempt)
        return found

    def agreement(self) -> Agreement:
        """Compare the rows with the runs, decisions and ERP actions that the operations database knows."""
        before = self._operations.testimony()
        rows = self.transitions()
        return compare(rows, before, self._operations.testimony())

    def verify(self) -> JournalCheck:
        """Recompute every hash and compare with the heads and the staged rows of the operations database."""
        self.project()
        with self._lock:
            on_their_way = self._operations.staged_ids()
            return self._warehouse.verify_journal(self._operations.journal_heads(), on_their_way)

    def lag(self) -> JournalLag:
        """Rows staged and not yet in the warehouse, and how long the oldest has waited."""
        rows, oldest = self._operations.staged_count()
        return JournalLag(rows, 0.0 if oldest is None else max(0.0, datetime.now(UTC).timestamp() - oldest))

    def start_projector(self) -> None:
        """Project in the background until `stop`."""
        self.projector.start()

    def stop(self) -> None:
        """Stop the background thread and project what is left; what cannot be stays staged for the next start."""
        self.projector.stop()
        try:
            self.project()
        except StorageOutOfReach as error:
            LOG.warning("Journal rows stay staged until the next start: %s", error)
