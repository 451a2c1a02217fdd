"""Lives through the week: step by step, with what must hold after each of them."""

import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field

import httpx

from scripts.week.checks import surfaces
from scripts.week.checks.findings import Failure, Finding
from scripts.week.checks.order_checks import bought_once, decided_by, decisions_stick, sent_once
from scripts.week.checks.steadiness import bought_needs, bought_on
from scripts.week.checks.surface_checks import figures_agree, nothing_crashed, served_well
from scripts.week.company.firm import Firm, Stuck
from scripts.week.company.office import Office
from scripts.week.company.page import FAULTS, chromium
from scripts.week.days import Step, name_of, script


@dataclass(frozen=True, slots=True)
class Taken:
    """A step that was taken, and how long it and its checks took."""

    day: int
    step: str
    seconds: float
    check_seconds: float
    failures: tuple[Failure, ...]


@dataclass
class Lived:
    """The week as it went."""

    taken: list[Taken] = field(default_factory=list[Taken])
    failures: list[Failure] = field(default_factory=list[Failure])
    checks: int = 0
    commands: int = 0
    requests: int = 0
    needs: int = 0
    """Items at a site that something was bought of."""
    bought_on: int = 0
    """Those of them of which a later day's plan bought more without need."""
    without: str = ""
    """What could not be done here."""


def live(firm: Firm, days: int, tell: Callable[[Taken], None], *, with_page: bool) -> Lived:
    """Every step of so many days; a step that cannot be taken is a failure, and the next one is taken."""
    lived = Lived(without="" if with_page else "No Chromium: what is done at the page went over HTTP, no tab was seen.")
    with ExitStack() as stack:
        office = Office(firm, stack.enter_context(chromium()) if with_page else None)
        stack.callback(office.close, killed=True)
        for place, (day, step) in enumerate(script(days)):
            office.day = day
            if not take(office, step, lived, tell) and place == 0:
                break
        if office.day:
            books = office.books()
            lived.needs, lived.bought_on = len(bought_needs(books)), len(bought_on(books))
    return lived


def take(office: Office, step: Step, lived: Lived, tell: Callable[[Taken], None]) -> bool:
    """One step and its checks; tells whether it could be taken."""
    began, could = time.monotonic(), True
    try:
        findings = step(office)
    except (Stuck, httpx.HTTPError, *FAULTS) as error:
        findings, could = [Finding("steps can be taken", "it to be done", f"{type(error).__name__}: {error}")], False
    done = time.monotonic()
    findings = [*findings, *after_a_step(office, lived)]
    name = name_of(step)
    failures = tuple(Failure(office.day, name, one) for one in findings)
    lived.failures += failures
    lived.taken.append(Taken(office.day, name, done - began, time.monotonic() - done, failures))
    tell(lived.taken[-1])
    return could


def after_a_step(office: Office, lived: Lived) -> Sequence[Finding]:
    """What must hold whatever was done last."""
    said = office.firm.witness.fresh()
    lived.commands += sum(bool(ran.words) for ran in said.ran)
    lived.requests += len(said.answered)
    if not (office.firm.home / "sandbox_erp.sqlite").exists():
        return [*nothing_crashed(said), *served_well(said)]
    books = office.books()
    checks = [
        nothing_crashed(said),
        served_well(said),
        sent_once(books),
        bought_once(books),
        decisions_stick(office.decided, books),
    ]
    office.decided.update(decided_by(books))
    if office.server.runs and books.runs:
        seen = {"ledger": surfaces.of_ledger(books), "API": surfaces.of_plan(office.plan(), office.pending())}
        checks.append(figures_agree(seen))
    lived.checks += len(checks)
    return [one for found in checks for one in found]
