"""The hash chain of the journal: what a row is, and what its hash covers."""

import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise
from typing import Any

import orjson

GENESIS = "0" * 64
"""What the first row is chained to."""


@dataclass(frozen=True, slots=True)
class JournalHead:
    """The last row of the chain."""

    seq: int = 0
    hash: str = GENESIS
    rows: int | None = field(default=None, compare=False)
    """How many rows were handed over since the head before it; None where that was not counted."""


@dataclass(frozen=True, slots=True)
class Transition:
    """One journal row in its place. `body` holds the fields of the draft as JSON values."""

    seq: int
    draft_id: str
    body: Mapping[str, Any]
    prev_hash: str
    hash: str

    @property
    def run_id(self) -> str:
        """The run that it belongs to."""
        return str(self.body["run_id"])

    @property
    def node(self) -> str:
        """The node, or `node:function` of a route."""
        return str(self.body["node"])

    @property
    def event(self) -> str:
        """Which kind: node, route, interrupt, resume, erp or policy."""
        return str(self.body["event"])

    @property
    def status(self) -> str:
        """How it ended: ok, error or interrupted."""
        return str(self.body["status"])

    @property
    def attempt(self) -> int:
        """Attempt of the task, from 1."""
        return int(self.body["attempt"])

    @property
    def step(self) -> int:
        """Step of the graph."""
        return int(self.body["step"])

    @property
    def actor(self) -> str:
        """Who set it off."""
        return str(self.body["actor"])

    @property
    def payload(self) -> Mapping[str, Any]:
        """The compact content."""
        return self.body["payload"]

    @property
    def started_at(self) -> datetime:
        """When it began."""
        return datetime.fromisoformat(self.body["started_at"])

    @property
    def ended_at(self) -> datetime:
        """When it ended."""
        return datetime.fromisoformat(self.body["ended_at"])


@dataclass(frozen=True, slots=True)
class JournalCheck:
    """Result of verifying the chain."""

    ok: bool
    rows: int
    first_broken_seq: int | None
    reason: str
    head_hash: str
    uncounted: int = 0
    """Rows from before the operations database counted them: only the chain speaks for those."""


def chained_hash(seq: int, draft_id: str, body: Mapping[str, Any], prev_hash: str) -> str:
    """SHA-256 over the canonical JSON of a row, its place and the hash before it."""
    row = {"seq": seq, "draft_id": draft_id, "prev": prev_hash, "row": body}
    return hashlib.sha256(orjson.dumps(row, option=orjson.OPT_SORT_KEYS)).hexdigest()


def chain(drafts: Iterable[tuple[str, Mapping[str, Any]]], head: JournalHead) -> list[Transition]:
    """Give (draft id, body) pairs their places after `head`."""
    rows: list[Transition] = []
    seq, prev = head.seq, head.hash
    for draft_id, body in drafts:
        seq += 1
        digest = chained_hash(seq, draft_id, body, prev)
        rows.append(Transition(seq, draft_id, body, prev, digest))
        prev = digest
    return rows


def verify_chain(
    rows: Sequence[Transition], recorded: Iterable[JournalHead] = (), on_their_way: Collection[str] | None = None
) -> JournalCheck:
    """Recompute every hash; every head recorded elsewhere must be among the rows, else the tail was cut.

    Each recorded head also says how many rows led to it: more of them means that another hand added some. Rows
    beyond the last one must be on their way, by their ids: a crash may have come between their commit and its
    record. None for a chain of which nothing else is known.
    """
    hashes = {0: GENESIS}
    for seq, row in enumerate(rows, start=1):
        before = hashes[seq - 1]
        expected = chained_hash(seq, row.draft_id, row.body, before)
        if row.seq != seq or row.prev_hash != before or row.hash != expected:
            reason = f"Row {seq} does not match its hash: it was changed, removed or inserted."
            return JournalCheck(False, len(rows), seq, reason, before)
        hashes[seq] = row.hash
    heads = sorted(recorded, key=lambda known: known.seq)
    broken = _broken_head(heads, hashes) or _miscounted(heads) or _unannounced(rows, heads, on_their_way)
    seq, reason = broken or (None, "")
    return JournalCheck(not broken, len(rows), seq, reason, hashes[len(rows)], _uncounted(heads, len(rows)))


def _broken_head(heads: Sequence[JournalHead], hashes: Mapping[int, str]) -> tuple[int, str] | None:
    end = len(hashes) - 1
    for head in heads:
        if head.seq > end:
            return end + 1, f"The journal ends at row {end}, but row {head.seq} was written: its tail is missing."
        if hashes[head.seq] != head.hash:
            return head.seq, f"Row {head.seq} is not the one that was recorded: rows up to it were written anew."
    return None


def _miscounted(heads: Sequence[JournalHead]) -> tuple[int, str] | None:
    for before, head in pairwise(heads):
        if head.rows is not None and head.seq - before.seq != head.rows:
            span = f"Rows {before.seq + 1} to {head.seq} are {head.seq - before.seq}"
            return before.seq + 1, f"{span}, but {head.rows} were written: another hand added some."
    return None


def _uncounted(heads: Sequence[JournalHead], rows: int) -> int:
    """The rows up to the last head that counted nothing, or before the first; all of them when there is no head."""
    if not heads:
        return rows
    first = heads[0]
    return max([first.seq - (first.rows or 0), *(head.seq for head in heads if head.rows is None)])


def _unannounced(
    rows: Sequence[Transition], heads: Sequence[JournalHead], on_their_way: Collection[str] | None
) -> tuple[int, str] | None:
    """A renewed operations database has no head yet and cannot tell."""
    if on_their_way is None or not heads:
        return None
    for row in rows[heads[-1].seq :]:
        if row.draft_id not in on_their_way:
            return row.seq, f"Row {row.seq} was never handed to the journal: another hand added it."
    return None
