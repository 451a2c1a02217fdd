"""What every surface said while the week was lived: commands, HTTP answers, the server's log, the browser's console."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Ran:
    """A command that ended."""

    words: tuple[str, ...]
    code: int
    out: str
    said: str
    """Its standard error."""
    expected: tuple[int, ...] = (0,)
    """Exit codes that are right here."""


@dataclass(frozen=True, slots=True)
class Answered:
    """An HTTP request and the status of its answer."""

    who: str
    method: str
    path: str
    status: int


@dataclass
class Witness:
    """Keeps what was said; `fresh` gives what is new since it was asked last."""

    ran: list[Ran] = field(default_factory=list[Ran])
    answered: list[Answered] = field(default_factory=list[Answered])
    console: list[str] = field(default_factory=list[str])
    """Errors of the browser's console and of the page's scripts."""
    logs: dict[Path, int] = field(default_factory=dict[Path, int])
    """Characters of each log that were looked at."""
    requests: int = 0

    def fresh(self) -> "Witness":
        """What was said since the last look, with the new text of the logs as commands' standard error."""
        told = Witness(list(self.ran), list(self.answered), list(self.console))
        told.ran += [Ran((path.name,), 0, "", self._new_text(path)) for path in self.logs]
        self.requests += len(self.answered)
        self.ran.clear()
        self.answered.clear()
        self.console.clear()
        return told

    def listen(self, log: Path) -> None:
        """Read this log from now on."""
        self.logs.setdefault(log, 0)

    def _new_text(self, path: Path) -> str:
        text = path.read_text(encoding="utf-8", errors="replace")
        fresh = text[self.logs[path] :]
        self.logs[path] = len(text)
        return fresh


def told_of(rans: Sequence[Ran]) -> str:
    """Commands with what they said, for a failure's report."""
    return "; ".join(f"jit {' '.join(ran.words)} ended with {ran.code}: {ran.said.strip()[-400:]}" for ran in rans)
