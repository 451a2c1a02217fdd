"""Whether the journal and the operations database tell of the same runs, decisions and ERP actions."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from store.audit.belonging import Part
from store.audit.chain import Transition
from store.audit.witness import KnownDecision, Testimony

ENDED_OR_WAITING = ("done", "stopped", "waiting")
"""Runs that must have left rows; one that goes on or failed may have died before its first."""
AFRESH = "start_afresh"
"""Event of the journal: a database was given up and begun anew."""
NAMED = 3
"""How many ids a sentence names."""


@dataclass(frozen=True, slots=True)
class Agreement:
    """How much was found in both, and sentences about what was found in one alone."""

    runs: int
    decisions: int
    actions: int
    differences: tuple[str, ...] = ()


def compare(rows: Sequence[Transition], before: Testimony, after: Testimony) -> Agreement:
    """Compare journal rows with what was known before they were read, and with what is known since.

    Everything known before must be in the rows, and everything in the rows must be known afterwards: so a run that
    goes on meanwhile is no difference.
    """
    rows = _since_afresh(rows)
    seen = {row.run_id for row in rows} - {""}
    silent = [run for run, status in before.runs.items() if status in ENDED_OR_WAITING and run not in seen]
    taken_in, dispatched = _answers(rows), _actions(rows)
    decided = [known for known in before.decisions.values() if before.runs.get(known.run_id) in ENDED_OR_WAITING]
    undecided = [known.approval_id for known in decided if not _answered(known, taken_in)]
    done = [key for key, status in before.actions.items() if status == "done"]
    found = (
        _told("run", silent, "left no row in the journal"),
        _told("decision", undecided, "left no row in the journal"),
        _told("ERP action", [key for key in done if key not in dispatched], "left no row in the journal"),
        _told("run", sorted(seen - after.runs.keys()), "of the journal is unknown to the operations database"),
        _told("ERP action", sorted(dispatched - after.actions.keys()), "of the journal was never in the outbox"),
    )
    return Agreement(len(before.runs), len(decided), len(done), tuple(sentence for sentence in found if sentence))


def _since_afresh(rows: Sequence[Transition]) -> Sequence[Transition]:
    """The rows since a person gave the operations database up: the one that is there knows nothing of earlier ones."""
    begun = [at for at, row in enumerate(rows) if row.event == AFRESH and row.run_id == ""]
    given_up = [at for at in begun if rows[at].payload.get("from") in (Part.OPERATIONS, Part.WAREHOUSE)]
    return rows[given_up[-1] :] if given_up else rows


def _told(what: str, ids: Sequence[str], how: str) -> str:
    if not ids:
        return ""
    more = f" and {len(ids) - NAMED} more" if len(ids) > NAMED else ""
    return f"{what[0].upper()}{what[1:]} {', '.join(ids[:NAMED])}{more} {how}."


def _answers(rows: Iterable[Transition]) -> dict[tuple[str, str], list[Mapping[str, Any]]]:
    """What the branch of each (run, order) heard from people."""
    found: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for row in rows:
        answer = row.payload.get("answer")
        if row.node == "await_approval" and row.event == "node" and isinstance(answer, Mapping):
            found.setdefault((row.run_id, str(row.payload.get("order_key"))), []).append(answer)
    return found


def _answered(known: KnownDecision, answers: Mapping[tuple[str, str], list[Mapping[str, Any]]]) -> bool:
    told = (known.decision, known.actor, known.content_hash)
    heard = answers.get((known.run_id, known.order_key), [])
    return any((one.get("decision"), one.get("actor"), one.get("content_hash")) == told for one in heard)


def _actions(rows: Iterable[Transition]) -> set[str]:
    """Keys of the actions that the ERP carried out."""
    return {str(row.payload.get("action_key")) for row in rows if row.event == "erp" and row.status == "ok"}
