"""What a page may use: the session and its surroundings, always off the event loop."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import ParamSpec, TypeVar

from nicegui import run, ui

from graph.contracts import SourcingSession
from graph.views.orders import ApprovalView, WaitingGroupView
from policies.approval import may_decide
from policies.gates import Effect, Tier
from tools.domain.errors import JitError, NotAllowed
from web.auth import Person, UserStore, refusal, require
from web.live import LiveRuns, Pulse
from web.settings import WebSettings

P = ParamSpec("P")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Room:
    """Shared by every open page."""

    session: SourcingSession
    users: UserStore
    settings: WebSettings
    pulse: Pulse
    live: LiveRuns


@dataclass(frozen=True, slots=True)
class Seat:
    """A person at a page."""

    room: Room
    person: Person
    sign_in: str
    """The secret of the sign-in under which the page was opened."""

    def still_taken(self) -> bool:
        """Whether the sign-in still stands."""
        return self.room.users.signed_in(self.sign_in) is not None

    def refused(self, action: str) -> str:
        """Why this person may not do this; empty when they may."""
        return refusal(self.person, action)

    def _allowed(self, action: str) -> None:
        current = self.room.users.signed_in(self.sign_in)
        if current is None:
            raise NotAllowed("Your sign-in has ended.", remedy="Sign in again by a fresh link.", user=self.person.name)
        require(current, action)

    async def act(self, action: str, work: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R | None:
        """Do something off the event loop, after a fresh look at the role; what fails is shown with its remedy."""
        try:
            await run.io_bound(self._allowed, action)
            return await run.io_bound(work, *args, **kwargs)
        except JitError as error:
            ui.notify(
                f"{error.message} {error.remedy}", type="warning", multi_line=True, timeout=9000, close_button="OK"
            )
            return None


def signing_refused(seat: Seat, approval: ApprovalView | WaitingGroupView) -> str:
    """Why this person may not sign this order, in a sentence; empty when they may."""
    person = seat.person
    if approval.tier not in tuple(Tier):
        return seat.refused("decide")
    verdict = may_decide(person.name, person.role, approval.proposed_by, Tier(approval.tier), own=approval.own)
    return verdict.reason if verdict.effect is Effect.DENY else ""
