"""What must hold of everything that a person or a program sees of the installation."""

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from scripts.week.checks.findings import Finding
from scripts.week.company.witness import Witness

CRASHES = re.compile(r"Traceback \(most recent call last\)|^\S*Error: |^CRITICAL|Internal Server Error", re.MULTILINE)
NO_CONTENT = re.compile(r"\b(undefined|NaN|\[object Object\]|Infinity)\b")
LEAST_CHARACTERS = 80
"""Of a tab with anything in it beside its heading."""
Json = Mapping[str, Any]
Figures = Mapping[str, float | str]


def nothing_crashed(witness: Witness) -> list[Finding]:
    """No traceback in what commands and the server said, every command ended as it should, no error in the browser."""
    found = [
        Finding("no traceback", f"{' '.join(ran.words)} without one", _around(crash, ran.said))
        for ran in witness.ran
        if (crash := CRASHES.search(ran.said))
    ]
    found += [
        Finding("commands end well", f"jit {' '.join(ran.words)} to end with {ran.expected}", f"{ran.code}: {ran.said}")
        for ran in witness.ran
        if ran.code not in ran.expected
    ]
    return found + [Finding("no error in the page", "a quiet console", text) for text in witness.console]


def _around(crash: re.Match[str], text: str) -> str:
    """The end of what follows, where the error's own words stand."""
    return text[crash.start() : crash.start() + 4000].strip()[-600:]


def served_well(witness: Witness) -> list[Finding]:
    """No answer of the server is a fault of the server."""
    return [
        Finding("no 5xx", f"{one.method} {one.path} for {one.who} below 500", str(one.status))
        for one in witness.answered
        if one.status >= 500
    ]


def figures_agree(surfaces: Mapping[str, Figures]) -> list[Finding]:
    """A figure reads the same wherever it is shown; money as the page rounds it."""
    shown: dict[str, dict[str, float | str]] = defaultdict(dict)
    for surface, figures in surfaces.items():
        for name, value in figures.items():
            shown[name][surface] = value
    found: list[Finding] = []
    for name, values in shown.items():
        (first, expected), *others = values.items()
        wrong = {surface: value for surface, value in others if not _alike(value, expected)}
        if wrong:
            found.append(Finding("figures agree", f"{name} is {expected} ({first})", f"{wrong}"))
    return found


def _alike(one: float | str, other: float | str) -> bool:
    if isinstance(one, str) or isinstance(other, str):
        return one == other
    return abs(one - other) <= (1.0 if max(abs(one), abs(other)) >= 1000 else 0.01)


def journal_whole(known: dict[int, str], rows: Sequence[Json], verified: Json) -> list[Finding]:
    """The rows are numbered without a gap, those seen before are still what they were, and the program agrees.

    `known` maps the number of a row to its hash; it is filled up with the rows of this look.
    """
    found = [] if verified["ok"] else [Finding("journal whole", "a journal that verifies", str(verified["reason"]))]
    numbers = [int(row["seq"]) for row in rows]
    if numbers != list(range(1, len(numbers) + 1)):
        gap = next((place + 1 for place, seq in enumerate(numbers) if seq != place + 1), len(numbers))
        found.append(Finding("journal whole", f"rows 1 to {len(numbers)} in order", f"no row {gap} in its place"))
    hashes = {int(row["seq"]): str(row["hash"]) for row in rows}
    changed = [seq for seq, hashed in known.items() if hashes.get(seq) != hashed]
    if changed:
        found.append(Finding("journal whole", "rows that stay as they were", f"rows {changed[:5]} differ"))
    known.update(hashes)
    return found


def screens_full(screens: Mapping[str, str], expected: Mapping[str, str]) -> list[Finding]:
    """Every tab shows what it is there for: `expected` maps tabs to a pattern of their text."""
    found = [
        Finding("screens have content", f"{tab} to show /{pattern}/", screens.get(tab, "")[:200] or "nothing")
        for tab, pattern in expected.items()
        if len(screens.get(tab, "")) < LEAST_CHARACTERS or not re.search(pattern, screens[tab])
    ]
    return found + [
        Finding("screens have content", f"{tab} with values", f"“{hollow.group()}” in {text[:200]}")
        for tab, text in screens.items()
        if (hollow := NO_CONTENT.search(text))
    ]
