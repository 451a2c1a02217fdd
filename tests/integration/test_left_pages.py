"""A page that somebody leaves while it reads what changed."""

import asyncio
from pathlib import Path

import pytest
from integration.web_session import InMemorySession, team
from nicegui import Client
from nicegui.page import page as page_of
from pydantic import SecretStr

from graph.views import Trigger, TriggerKind
from web.live import LiveRuns, Pulse
from web.pages.room import Room, Seat
from web.pages.workbench import Workbench
from web.settings import WebSettings


@pytest.fixture
def seat(tmp_path: Path) -> Seat:
    """Mia's, with orders that wait."""
    session, users = InMemorySession(), team()
    session.start(Trigger(kind=TriggerKind.SCHEDULE, actor="schedule", reason="every morning"))
    settings = WebSettings(home=tmp_path, webhook_secret=SecretStr("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"))
    sign_in = users.open_sign_in("mia", 60.0)
    person = users.signed_in(sign_in)
    assert person is not None
    return Seat(Room(session, users, settings, Pulse(session, 0.0), LiveRuns(session)), person, sign_in)


def test_a_page_that_was_left_meanwhile_is_not_drawn_again(seat: Seat) -> None:
    async def left_while_reading() -> None:
        client = Client(page_of("/left"))
        with client:
            workbench = Workbench(seat, seat.room.pulse.read(), None)
            await workbench.draw()
        for waiting in seat.room.session.pending():
            seat.room.session.decide(waiting.approval_id, "reject", "max", "enough")
        ticking = asyncio.ensure_future(workbench.tick())
        await asyncio.sleep(0)
        client.delete()
        await ticking

    asyncio.run(left_while_reading())
