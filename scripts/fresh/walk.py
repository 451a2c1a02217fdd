"""Every command of `jit` as a new user types it after `make demo`, in an order in which each finds what it needs.

Those that only read and those that act run side by side, each walk in a home of its own.
"""

import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from running import Runner, surroundings

ELSEWHERE = ("demo", "serve", "eval", "cancel")
"""Commands that other parts of the script run, and the one that needs a run which computes."""

READING = (
    "doctor",
    "runs",
    "show",
    "replay {run}",
    "explain",
    "explain {item}",
    "ask what\u00a0is\u00a0at\u00a0risk?",
    "journal",
    "journal --verify",
    "forecast",
    "forecast {item}",
    "lead-times",
    "lead-times {supplier}",
    "rejects",
)
ACTING = (
    "user fern --role manager --json",
    "link fern",
    "approvals",
    "decisions",
    "decide {approval} approve --actor fern",
    "withdraw {approval} --actor fern",
    "decide {waiting} reject --actor fern --reason full",
    "reconsider {waiting} --actor fern",
    "one-person",
    "one-person --off",
    "estimates",
    "estimates activate {estimate}",
    "estimates activate configured",
    "observe --advance-days 7",
    "alert {event}",
    "import {world} --as-of 2026-06-30",
    "datasets",
    "rollback {dataset}",
    "halt",
    "halt --off",
    "plan",
    "backup",
    "restore {backup}",
    "start-afresh sandbox-erp --reason lost --yes",
    "observe",
)
"""What stands in braces is what an earlier command printed; a hard space stays within its word."""

FOUND = {
    "approval": r"\bap-[0-9a-f]{12}\b",
    "waiting": r"\bap-[0-9a-f]{12}\b(?![\s\S]*\bap-)",
    "run": r"\brun-\d+-[0-9a-f]+\b",
    "item": r"\bI\d{3}\b",
    "supplier": r"\bS\d{2}\b",
    "dataset": r"\bds-\d+-[0-9a-f]+\b",
    "backup": r"\S+/jit-\d{8}-\d{6}\.tar\.gz",
    "estimate": r"\best-\d+-[0-9a-f]+\b",
}
EVENT = {
    "specversion": "1.0",
    "id": "fresh-0001",
    "type": "supplier.alert",
    "source": "https://edi.example/supplier",
    "time": "2026-07-01T08:15:00Z",
    "datacontenttype": "application/json",
    "data": {"kind": "delay", "node_id": "S01", "delay_days": 14, "until": "2026-08-15", "confidence": 0.9},
}


def missing(listed: Iterable[str]) -> str:
    """What to do when the commands of the program and those walked here differ; empty when they do not."""
    known = set(listed)
    walked = {next((name for name in known if f"{line} ".startswith(f"{name} ")), line) for line in (*READING, *ACTING)}
    walked |= set(ELSEWHERE)
    new, gone = sorted(known - walked), sorted(walked - known)
    told = [f"`jit {name}` is not run: add a line for it to scripts/fresh/walk.py." for name in new]
    return "\n".join(told + [f"`jit {name}` is no command: take its line out." for name in gone])


def take(runner: Runner, lines: Iterable[str], clone: Path, home: Path) -> Mapping[str, str]:
    """Run the lines in a home; what they printed that later ones need, with the API key of the user they add."""
    event = home / "event.json"
    event.write_text(json.dumps(EVENT), encoding="utf-8")
    found = {"world": str(home / "demo_world"), "event": str(event)}
    for line in lines:
        command = [str(clone / ".venv/bin/jit"), *_filled(runner, line, found)]
        output = runner.run(command, clone, environment=surroundings(JIT_HOME=str(home)))
        if line.startswith("user "):
            found["key"] = str(json.loads(output)["key"])
        for name, pattern in FOUND.items():
            match = re.search(pattern, output)
            if match:
                found.setdefault(name, match[0])
    return found


def _filled(runner: Runner, line: str, found: Mapping[str, str]) -> list[str]:
    try:
        return [word.format(**found).replace("\u00a0", " ") for word in line.split(" ")]
    except KeyError as error:
        raise runner.failure(f"jit {line}", None, f"No command before it printed {error}.") from error
