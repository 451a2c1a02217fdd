"""What the people of the company have at hand while a step is taken."""

import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from playwright.sync_api import Browser

from scripts.week.checks.findings import Finding
from scripts.week.company.books import Books, Row, read_books
from scripts.week.company.firm import PATIENCE_SECONDS, PEOPLE, Firm, Stuck
from scripts.week.company.page import Desk
from scripts.week.company.server import Server
from scripts.week.company.wire import Wire


@dataclass
class Office:
    """The firm, its server, everybody's door to it, and what was seen before."""

    firm: Firm
    browser: Browser | None
    """None where there is no Chromium: what is done at the page goes over HTTP then."""
    server: Server = field(init=False)
    draw: random.Random = field(init=False)
    day: int = 0
    touched: set[str] = field(default_factory=set[str])
    """Items that people decided about on this day."""
    decided: dict[str, Row] = field(default_factory=dict[str, Row])
    """Decisions by approval, as they were seen first."""
    journal: dict[int, str] = field(default_factory=dict[int, str])
    """Hashes of the journal's rows, as they were seen first."""
    _wires: dict[str, Wire] = field(default_factory=dict[str, Wire])
    _desks: dict[str, Desk] = field(default_factory=dict[str, Desk])

    def __post_init__(self) -> None:
        self.server = Server(self.firm)
        self.draw = random.Random(self.firm.seed)

    def wire(self, who: str = "") -> Wire:
        """HTTP as one of the people; without a name as the server's owner."""
        if who not in self._wires:
            key = self.firm.keys[who] if who else self.server.owner_key
            self._wires[who] = Wire(self.firm, self.server.url, who, key)
        return self._wires[who]

    def desk(self, who: str) -> Desk:
        """The page of one of the people, signed in by a fresh link. Stuck without a browser."""
        if self.browser is None:
            raise Stuck("There is no Chromium.")
        if who not in self._desks:
            link = str(self.firm.told("link", who)["link"])
            self._desks[who] = Desk(self.browser, link, who, self.firm.witness)
        return self._desks[who]

    def open(self) -> None:
        """Start the server; the day's doors are opened anew as they are needed."""
        self.server.start()

    def close(self, *, killed: bool = False) -> None:
        """Stop the server, or kill it; every door to it closes."""
        for door in (*self._wires.values(), *self._desks.values()):
            door.close()
        self._wires.clear()
        self._desks.clear()
        if killed:
            self.server.kill()
        else:
            self.server.stop()

    def books(self) -> Books:
        """The rows as they are now."""
        return read_books(self.firm.home)

    def pending(self) -> Sequence[Any]:
        """What waits for a signature."""
        return self.wire("ana").every("/api/approvals")

    def plan(self) -> Any:
        """The current plan, nothing of it cut."""
        return self.wire("ana").get("/api/runs/latest", limit=0)

    def settle(self, what: str, holds: Callable[[], bool]) -> list[Finding]:
        """Wait until something holds that the program does by itself; a finding when it does not come."""
        until = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < until:
            if holds():
                return []
            time.sleep(0.2)
        return [Finding("goes on by itself", what, f"not so after {PATIENCE_SECONDS:,.0f} s")]


def signer_of(approval: Any) -> str:
    """Who signs an order of this tier."""
    return "mia" if approval["tier"] == "manager" else "ben"


def who_may(approval: Any) -> str:
    """Who signs an order and did not propose it."""
    wanted = signer_of(approval)
    return next((name for name in (wanted, "mia") if name not in approval["proposed_by"] and name in PEOPLE), wanted)
