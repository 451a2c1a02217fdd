"""Runs, and the inbox of messages that start them."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import Row, String, bindparam, text

from store.database import Database, to_json
from tools.domain.errors import NotFound

ENDED = ("done", "failed", "stopped")


@dataclass(frozen=True, slots=True)
class RunRow:
    """A sourcing run. `status` is running, waiting, done, failed or stopped."""

    run_id: str
    status: str
    trigger: Mapping[str, Any]
    actor: str
    dataset_version: str
    versions: Mapping[str, Any]
    summary: Mapping[str, Any]
    created_at: datetime
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class InboxRow:
    """A message from outside. `status` is new, taken, done or failed."""

    message_id: str
    kind: str
    payload: Mapping[str, Any]
    source: str
    status: str
    received_at: datetime
    attempts: int
    run_id: str | None
    error: str | None


class RunBook(Database):
    """Runs by id and by time."""

    def create_run(
        self,
        run_id: str,
        trigger: Mapping[str, Any],
        actor: str,
        dataset_version: str,
        versions: Mapping[str, Any],
    ) -> None:
        """Store a new run as running; creating it again changes nothing."""
        self._change(
            "INSERT INTO runs (run_id, status, trigger_json, actor, dataset_version, versions, summary, created_at)"
            " VALUES (:run_id, 'running', :trigger, :actor, :dataset, :versions, '{}', :at)"
            " ON CONFLICT DO NOTHING",
            {
                "run_id": run_id,
                "trigger": to_json(trigger),
                "actor": actor,
                "dataset": dataset_version,
                "versions": to_json(versions),
                "at": self._now(),
            },
        )

    def set_run_status(self, run_id: str, status: str, summary: Mapping[str, Any] | None = None) -> None:
        """Move a run on; a summary, when given, replaces the stored one."""
        changed = self._change(
            "UPDATE runs SET status = :status, summary = COALESCE(:summary, summary), ended_at = :ended"
            " WHERE run_id = :run_id",
            {
                "run_id": run_id,
                "status": status,
                "summary": None if summary is None else to_json(summary),
                "ended": self._now() if status in ENDED else None,
            },
        )
        if not changed:
            raise _no_run(run_id)

    def set_run_dataset(self, run_id: str, version: str) -> None:
        """The dataset version that a run plans on from now: what is on order changed while it planned."""
        self._change(
            "UPDATE runs SET dataset_version = :version WHERE run_id = :run_id", {"version": version, "run_id": run_id}
        )
        self.pin_version(run_id, "dataset", version)

    def pin_version(self, run_id: str, name: str, version: str) -> None:
        """Add one version to those of a run: found out while it went on, and kept for its replay."""
        query = "SELECT versions FROM runs WHERE run_id = :id"
        query = text(query if self.is_sqlite else f"{query} FOR UPDATE")
        with self._write() as connection:
            row = connection.execute(query, {"id": run_id}).first()
            if row is None:
                raise _no_run(run_id)
            versions = to_json({**orjson.loads(row.versions), name: version})
            connection.execute(
                text("UPDATE runs SET versions = :versions WHERE run_id = :id"), {"versions": versions, "id": run_id}
            )

    def run(self, run_id: str) -> RunRow:
        """One run. NotFound when there is none of this id."""
        with self._read() as connection:
            row = connection.execute(text("SELECT * FROM runs WHERE run_id = :id"), {"id": run_id}).first()
        if row is None:
            raise _no_run(run_id)
        return _run(row)

    def dataset_versions(self, run_ids: Collection[str]) -> dict[str, str]:
        """The dataset version that each of these runs planned on, in one query."""
        query = text("SELECT run_id, dataset_version FROM runs WHERE run_id IN :run_ids").bindparams(
            bindparam("run_ids", expanding=True, type_=String())
        )
        with self._read() as connection:
            return {row.run_id: row.dataset_version for row in connection.execute(query, {"run_ids": sorted(run_ids)})}

    def runs_named(self, run_ids: Collection[str]) -> dict[str, RunRow]:
        """These runs by id, in one query."""
        query = text("SELECT * FROM runs WHERE run_id IN :run_ids").bindparams(
            bindparam("run_ids", expanding=True, type_=String())
        )
        with self._read() as connection:
            return {row.run_id: _run(row) for row in connection.execute(query, {"run_ids": sorted(run_ids)})}

    def runs(self, limit: int = 20) -> list[RunRow]:
        """Latest first."""
        query = text("SELECT * FROM runs ORDER BY created_at DESC, run_id LIMIT :limit")
        with self._read() as connection:
            return [_run(row) for row in connection.execute(query, {"limit": limit})]


class Inbox(Database):
    """Messages from outside: each stored once, each taken by one worker at a time."""

    def receive(self, message_id: str, kind: str, payload: Mapping[str, Any], source: str) -> bool:
        """Store a message durably; False when its id was seen before (a replay)."""
        stored = self._change(
            "INSERT INTO inbox (message_id, kind, payload, source, status, received_at, leased_until, attempts)"
            " VALUES (:id, :kind, :payload, :source, 'new', :at, 0, 0) ON CONFLICT DO NOTHING",
            {"id": message_id, "kind": kind, "payload": to_json(payload), "source": source, "at": self._now()},
        )
        return stored == 1

    def take_inbox(self, lease_seconds: float = 60.0) -> InboxRow | None:
        """The oldest message that nobody works on, leased to the caller; an expired lease is taken again."""
        now = self._epoch()
        query = self._lock_rows(
            "SELECT * FROM inbox WHERE status = 'new' OR (status = 'taken' AND leased_until < :now)"
            " ORDER BY received_at, message_id LIMIT 1"
        )
        lease = text(
            "UPDATE inbox SET status = 'taken', leased_until = :until, attempts = attempts + 1"
            " WHERE message_id = :id RETURNING *"
        )
        with self._write() as connection:
            found = connection.execute(text(query), {"now": now}).first()
            if found is None:
                return None
            until = {"until": now + lease_seconds, "id": found.message_id}
            return _message(connection.execute(lease, until).one())

    def waiting_inbox(self, limit: int = 1000) -> list[InboxRow]:
        """Messages that nobody has begun to work on, oldest first."""
        query = text("SELECT * FROM inbox WHERE status = 'new' ORDER BY received_at, message_id LIMIT :limit")
        with self._read() as connection:
            return [_message(row) for row in connection.execute(query, {"limit": limit})]

    def inbox_message(self, message_id: str) -> InboxRow:
        """One message. NotFound when there is none of this id."""
        with self._read() as connection:
            row = connection.execute(text("SELECT * FROM inbox WHERE message_id = :id"), {"id": message_id}).first()
        if row is None:
            raise NotFound(f"There is no message {message_id}.", remedy="Send it first.", message_id=message_id)
        return _message(row)

    def inbox_of_run(self, run_id: str) -> list[InboxRow]:
        """Messages that a run answers, oldest first."""
        query = text("SELECT * FROM inbox WHERE run_id = :run_id ORDER BY received_at, message_id")
        with self._read() as connection:
            return [_message(row) for row in connection.execute(query, {"run_id": run_id})]

    def bind_inbox(self, message_id: str, run_id: str, lease_seconds: float) -> bool:
        """Lease a message to the run that answers it; False when it is settled, or another run's, already."""
        bound = self._change(
            "UPDATE inbox SET status = 'taken', run_id = :run_id, leased_until = :until,"
            " attempts = attempts + (CASE WHEN status = 'new' THEN 1 ELSE 0 END)"
            " WHERE message_id = :id AND status IN ('new', 'taken') AND run_id IS NULL",
            {"id": message_id, "run_id": run_id, "until": self._epoch() + lease_seconds},
        )
        return bound == 1

    def release_inbox(self, message_ids: Sequence[str]) -> None:
        """Give messages that are not settled back, bound to no run."""
        release = text(
            "UPDATE inbox SET status = 'new', run_id = NULL, leased_until = 0"
            " WHERE message_id = :id AND status IN ('new', 'taken')"
        )
        with self._write() as connection:
            for message_id in message_ids:
                connection.execute(release, {"id": message_id})

    def note_inbox(self, message_id: str, payload: Mapping[str, Any]) -> None:
        """Replace what is stored of a message: the same message with what was read in it."""
        values = {"payload": to_json(payload), "id": message_id}
        self._change("UPDATE inbox SET payload = :payload WHERE message_id = :id", values)

    def finish_inbox(self, message_id: str, run_id: str | None = None, error: str | None = None) -> bool:
        """Mark a message as done, or as failed when an error is given; False when that was done before."""
        changed = self._change(
            "UPDATE inbox SET status = :status, run_id = COALESCE(:run_id, run_id), error = :error, finished_at = :at"
            " WHERE message_id = :id AND status IN ('new', 'taken')",
            {
                "id": message_id,
                "status": "failed" if error else "done",
                "run_id": run_id,
                "error": error,
                "at": self._now(),
            },
        )
        return changed == 1

    def inbox_waiting(self) -> tuple[int, datetime | None]:
        """(messages that are not settled, when the oldest of them came)."""
        query = text("SELECT COUNT(*) AS waiting, MIN(received_at) AS oldest FROM inbox WHERE finished_at IS NULL")
        with self._read() as connection:
            row = connection.execute(query).one()
        return int(row.waiting), datetime.fromisoformat(row.oldest) if row.oldest else None

    def inbox(self, limit: int = 50) -> list[InboxRow]:
        """Latest first."""
        query = text("SELECT * FROM inbox ORDER BY received_at DESC, message_id LIMIT :limit")
        with self._read() as connection:
            return [_message(row) for row in connection.execute(query, {"limit": limit})]


def _no_run(run_id: str) -> NotFound:
    return NotFound(f"There is no run {run_id}.", remedy="`jit runs` lists the ids.", run_id=run_id)


def _run(row: Row[Any]) -> RunRow:
    return RunRow(
        run_id=row.run_id,
        status=row.status,
        trigger=orjson.loads(row.trigger_json),
        actor=row.actor,
        dataset_version=row.dataset_version,
        versions=orjson.loads(row.versions),
        summary=orjson.loads(row.summary),
        created_at=datetime.fromisoformat(row.created_at),
        ended_at=datetime.fromisoformat(row.ended_at) if row.ended_at else None,
    )


def _message(row: Row[Any]) -> InboxRow:
    return InboxRow(
        message_id=row.message_id,
        kind=row.kind,
        payload=orjson.loads(row.payload),
        source=row.source,
        status=row.status,
        received_at=datetime.fromisoformat(row.received_at),
        attempts=row.attempts,
        run_id=row.run_id,
        error=row.error,
    )
