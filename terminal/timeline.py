"""The journal of a run as a timeline: when, which step, what it found, where it went, who decided."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from rich.text import Text

from graph.views.runs import JournalCheckView, TransitionView
from terminal.figures import moment, seconds
from terminal.screen import clean, say, shorten, table

DULL = ("run_id", "versions", "rounds", "passes")
FOUND_LENGTH = 70
STYLES = {"error": "red", "interrupted": "yellow"}


@dataclass
class _Entry:
    """Rows that read alike and follow each other."""

    first: TransitionView
    last: TransitionView
    what: str
    found: str
    seconds: float
    times: int = 1


def show_journal(rows: Sequence[TransitionView], *, everything: bool = False) -> None:
    """The timeline. Alike neighbours are one line with a count unless everything is asked for."""
    if not rows:
        say("The journal holds nothing for this run.")
        return
    begun = rows[0].started_at
    say(f"Journal of {rows[0].run_id}: {len(rows)} rows from {moment(begun)}, started by {rows[0].actor}", "bold")
    table(
        ("seq", "after", "took", "what", "found", "hash"),
        [
            _cells(entry, (entry.first.started_at - begun).total_seconds())
            for entry in entries(rows, fold=not everything)
        ],
        right=("seq", "after", "took"),
        fold="found",
    )


def entries(rows: Sequence[TransitionView], *, fold: bool) -> Iterator[_Entry]:
    """One entry a row, or one for neighbours that read alike."""
    held: _Entry | None = None
    for row in rows:
        what, found = wording(row), short(row.payload) if row.event != "route" else ""
        if held is not None and fold and (held.what, held.found) == (what, found):
            held.last, held.times = row, held.times + 1
            held.seconds += _seconds(row)
            continue
        if held is not None:
            yield held
        held = _Entry(row, row, what, found, _seconds(row))
    if held is not None:
        yield held


def _seconds(row: TransitionView) -> float:
    return (row.ended_at - row.started_at).total_seconds()


def _cells(entry: _Entry, after: float) -> tuple[object, ...]:
    many = entry.times > 1
    return (
        f"{entry.first.seq}-{entry.last.seq}" if many else str(entry.first.seq),
        f"+{after:,.2f} s",
        seconds(entry.seconds) if entry.first.event == "node" else "",
        Text(clean(entry.what + (f" × {entry.times}" if many else "")), style=STYLES.get(entry.first.status, "")),
        entry.found,
        entry.last.hash[:8],
    )


def wording(row: TransitionView) -> str:
    """What a row tells: a step, a route, a pause for a person, or a decision that set the run going."""
    tried = f", attempt {row.attempt}" if row.attempt > 1 else ""
    if row.event == "interrupt":
        return "waits for a person"
    if row.event == "resume":
        return "goes on after a decision"
    if row.event == "route":
        return f"{_name(row.node.partition(':')[0])} → {_target(row.payload)}"
    if row.node == "__start__":
        return "order branch opens"
    if row.status == "interrupted":
        return f"{_name(row.node)} pauses{tried}"
    return f"{_name(row.node)}{' failed' if row.status == 'error' else ''}{tried}"


def _name(node: str) -> str:
    return "order branch" if node == "__start__" else node.replace("_", " ")


def _target(payload: Mapping[str, object]) -> str:
    sent = payload.get("sent")
    if isinstance(sent, Mapping):
        return ", ".join(f"{_name(str(node))} × {times}, in parallel" for node, times in sent.items())
    return _name(str(payload.get("value", ""))) or "end"


def short(payload: Mapping[str, object]) -> str:
    """A payload in a few words: what counts as figures, collections by their size."""
    told = [_fact(name, value) for name, value in payload.items() if name not in DULL]
    return ", ".join(part for part in told if part)


def _fact(name: str, value: object) -> str:
    word = name.replace("_", " ")
    if isinstance(value, Mapping):
        size = value.get("count", value.get("keys"))
        return f"{size} {word}" if size else ""
    if value in ("", None, [], False):
        return ""
    text = str(value)
    if name in ("approval_id", "tier", "message"):
        return text
    if name == "order_key":
        return "/".join(text.split("/")[1:3]) or text
    if name.endswith(("hash", "interrupt_id", "checkpoint_id")):
        return ""
    return f"{word} {shorten(text, FOUND_LENGTH)}"


def show_check(check: JournalCheckView) -> None:
    """Result of verifying the journal, and what no verification here can tell."""
    if check.ok:
        say(f"✓ {check.sentence}.", "green")
        say(f"Head {check.head_hash}")
        say("Somebody who may write to both databases can rewrite both: keep the head elsewhere and compare it later.")
    else:
        say(f"✗ {check.sentence}", "red")
    if check.lag_rows:
        say(f"{check.lag_rows} rows are still to be projected.")
