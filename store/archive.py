"""What runs leave behind: artifacts, KPIs and the hash-chained journal."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import orjson

from store.audit.belonging import WarehouseMark
from store.audit.chain import JournalCheck, JournalHead, Transition, verify_chain
from store.duck import DuckFile
from tools.domain.errors import IntegrityBroken

FOUND_BY = "run_id, node, event, status, started_at"
"""Columns of a journal row that repeat its body, so that it can be found without reading every body."""


@dataclass(frozen=True, slots=True)
class WarehouseSize:
    """Bytes of the warehouse file, and of the blocks that runs fill."""

    total: int
    free: int
    """Within the total: used by the next rows."""
    artifacts: int
    journal: int
    runs: int
    """How many runs have artifacts."""


class Archive(DuckFile):
    """Artifacts by run, kind and key; KPIs over time; transitions in order."""

    def put_artifact(self, run_id: str, kind: str, key: str, payload: Mapping[str, Any]) -> None:
        """Store one JSON artifact of a run; storing it again replaces it."""
        self.put_artifacts(run_id, kind, {key: payload})

    def put_artifacts(
        self, run_id: str, kind: str, payloads: Mapping[str, Mapping[str, Any]], *, alone: bool = False
    ) -> None:
        """Store several artifacts of one kind in one transaction; replaces the same keys, `alone` the whole kind."""
        now = datetime.now(UTC)
        option = orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_NON_STR_KEYS
        rows = [
            (run_id, kind, key, orjson.dumps(value, option=option).decode(), now) for key, value in payloads.items()
        ]
        with self._transaction():
            self._connection.execute(
                "DELETE FROM artifacts WHERE run_id = ? AND kind = ? AND (? OR list_contains(?, key))",
                [run_id, kind, alone, list(payloads)],
            )
            self._append("artifacts", rows)

    def drop_artifacts(self, run_id: str) -> None:
        """Forget what a run left so far: it starts over."""
        with self._transaction():
            self._connection.execute("DELETE FROM artifacts WHERE run_id = ?", [run_id])

    def artifact(self, run_id: str, kind: str, key: str) -> dict[str, Any] | None:
        """One artifact, None when there is none."""
        return self.artifacts_named([(run_id, key)], kind).get((run_id, key))

    def artifacts_named(self, names: Collection[tuple[str, str]], kind: str) -> dict[tuple[str, str], dict[str, Any]]:
        """Artifacts of one kind by run and key, in one query that reads no others of the runs."""
        runs, keys = ({name[place] for name in names} for place in (0, 1))
        sql = (
            "SELECT run_id, key, payload FROM artifacts WHERE kind = ? AND list_contains(?, run_id)"
            " AND list_contains(?, key)"
        )
        rows = self._all(sql, [kind, sorted(runs), sorted(keys)]) if names else []
        return {(run_id, key): orjson.loads(text) for run_id, key, text in rows if (run_id, key) in names}

    def artifacts(self, run_id: str, kind: str) -> dict[str, dict[str, Any]]:
        """All artifacts of one kind, by key."""
        rows = self._all(
            "SELECT key, payload FROM artifacts WHERE run_id = ? AND kind = ? ORDER BY key", [run_id, kind]
        )
        return {key: orjson.loads(payload) for key, payload in rows}

    def artifact_counts(self, run_id: str, kind: str, field: str) -> dict[str, int]:
        """How many artifacts of a kind have each value of a field, the most frequent first, counted by the database."""
        sql = (
            "SELECT json_extract_string(payload, '$.' || ?) AS value, count(*) AS number FROM artifacts"
            " WHERE run_id = ? AND kind = ? GROUP BY value ORDER BY number DESC, min(key)"
        )
        return {str(value): int(number) for value, number in self._all(sql, [field, run_id, kind])}

    def artifacts_of(
        self, run_ids: Sequence[str], kinds: Sequence[str]
    ) -> dict[str, dict[str, dict[str, dict[str, Any]]]]:
        """Artifacts of these kinds of several runs in one query: by run, kind and key."""
        if not run_ids:
            return {}
        runs, wanted = (", ".join("?" * len(names)) for names in (run_ids, kinds))
        sql = f"SELECT run_id, kind, key, payload FROM artifacts WHERE run_id IN ({runs}) AND kind IN ({wanted})"  # noqa: S608
        found: dict[str, dict[str, dict[str, dict[str, Any]]]] = {run_id: {} for run_id in run_ids}
        for run_id, kind, key, payload in self._all(f"{sql} ORDER BY key", [*run_ids, *kinds]):
            found[run_id].setdefault(kind, {})[key] = orjson.loads(payload)
        return found

    def size(self) -> WarehouseSize:
        """How large the file is, and what runs fill of it; blocks are counted whole."""
        sql = "SELECT block_size * total_blocks, block_size * free_blocks, block_size FROM pragma_database_size()"
        ((total, free, block),) = self._all(sql)
        filled = "SELECT count(DISTINCT block_id) FROM pragma_storage_info(?) WHERE block_id >= 0"
        (artifacts,), (journal,) = (self._all(filled, [table])[0] for table in ("artifacts", "transitions"))
        ((runs,),) = self._all("SELECT count(DISTINCT run_id) FROM artifacts")
        return WarehouseSize(int(total), int(free), block * artifacts, block * journal, runs)

    def put_kpis(self, run_id: str | None, version: str, values: Mapping[str, float], at: datetime) -> None:
        """Store KPI values."""
        if values:
            with self._lock:
                self._append("kpis", [(run_id, version, name, float(value), at) for name, value in values.items()])

    def kpi_history(self, name: str) -> list[tuple[datetime, float]]:
        """A KPI over time."""
        return [
            (at, value)
            for at, value in self._all("SELECT stored_at, value FROM kpis WHERE name = ? ORDER BY stored_at", [name])
        ]

    def journal_head(self) -> JournalHead:
        """The last journal row; the genesis when there is none."""
        found = self._all("SELECT seq, hash FROM transitions ORDER BY seq DESC LIMIT 1")
        return JournalHead(int(found[0][0]), str(found[0][1])) if found else JournalHead()

    def last_draft_ids(self, rows: int) -> set[str]:
        """Ids of the last journal rows, by which a repeated projection recognises them."""
        sql = "SELECT draft_id FROM transitions WHERE seq > (SELECT max(seq) FROM transitions) - ?"
        return {str(draft_id) for (draft_id,) in self._all(sql, [rows])}

    def home_mark(self) -> WarehouseMark:
        """Whose home this is, and the last journal row that it took."""
        ((home_id, taken),) = self._all("SELECT id, taken FROM home")
        filled = any(self._all(f"SELECT 1 FROM {name} LIMIT 1") for name in ("datasets", "transitions"))  # noqa: S608
        return WarehouseMark(str(home_id), not filled, int(taken))

    def applied(self) -> list[str]:
        """Names of the migrations that this file had."""
        return [str(name) for (name,) in self._all("SELECT name FROM migrations ORDER BY name")]

    def set_home(self, home_id: str, taken: int = 0) -> None:
        """Store whose home this is, and the journal row after which it begins."""
        self._run("UPDATE home SET id = ?, taken = greatest(taken, ?)", [home_id, taken])

    def append_transitions(self, rows: Sequence[Transition], taken: int = 0) -> None:
        """Append journal rows in one transaction. IntegrityBroken when they do not follow the last one.

        `taken` is the id of the last of them, or of one that was appended before, in the operations database.
        """
        with self._transaction():
            self._connection.execute("UPDATE home SET taken = ? WHERE taken < ?", [taken, taken])
            if not rows:
                return
            head = self.journal_head()
            if rows[0].seq != head.seq + 1 or rows[0].prev_hash != head.hash:
                raise IntegrityBroken(
                    f"Journal row {rows[0].seq} does not follow row {head.seq}.",
                    remedy="Let one process write the journal; `jit journal --verify` checks what is stored.",
                )
            self._append("transitions", [_stored(row) for row in rows])

    def transitions(self, run_id: str | None = None) -> list[Transition]:
        """Journal rows in order, of one run or of all."""
        sql = "SELECT seq, draft_id, body, prev_hash, hash FROM transitions"
        rows = (
            self._all(sql + " WHERE run_id = ? ORDER BY seq", [run_id])
            if run_id is not None
            else self._all(sql + " ORDER BY seq")
        )
        return [Transition(seq, draft, orjson.loads(body), prev, digest) for seq, draft, body, prev, digest in rows]

    def verify_journal(
        self, recorded: Sequence[JournalHead] = (), on_their_way: Collection[str] | None = None
    ) -> JournalCheck:
        """Recompute every hash; with the heads recorded elsewhere, a cut tail and an added row are found too.

        The columns by which rows are found repeat the hashed body: one that differs hides or moves its row.
        """
        rows = self.transitions()
        check = verify_chain(rows, recorded, on_their_way)
        stored = self._all(f"SELECT seq, {FOUND_BY} FROM transitions ORDER BY seq")  # noqa: S608
        moved = [row for row, found in zip(rows, stored, strict=True) if check.ok and _found_by(row) != found]
        if not moved:
            return check
        reason = f"Row {moved[0].seq} is filed under columns that differ from what its hash covers: it was changed."
        return replace(check, ok=False, first_broken_seq=moved[0].seq, reason=reason)


def _stored(row: Transition) -> tuple[Any, ...]:
    _, *found_by = _found_by(row)
    return (row.seq, row.draft_id, *found_by, orjson.dumps(row.body).decode(), row.prev_hash, row.hash)


def _found_by(row: Transition) -> tuple[Any, ...]:
    """The columns of `FOUND_BY`, behind the row's place, as its hashed body has them."""
    return (row.seq, row.run_id, row.node, row.event, row.status, row.started_at)
