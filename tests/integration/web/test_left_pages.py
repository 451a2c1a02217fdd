"""A page that somebody leaves while it reads what changed."""

import asyncio
import gc
from pathlib import Path

import pytest
from integration.web.web_members import team
from integration.web.web_session import InMemorySession
from nicegui import Client, ui
from nicegui.page import page as page_of
from pydantic import SecretStr

from graph.views.runs import Trigger, TriggerKind
from web.live import LiveRuns, Pulse
from web.pages.room import Room, Seat
from web.pages.widgets.parts import has_left, while_shown
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


@pytest.mark.parametrize("left", [True, False])
def test_work_that_finds_its_page_gone_is_done_and_any_other_fault_is_told(*, left: bool) -> None:
    """Nothing of it reaches the server's log; a page that is still looked at hides no fault."""

    async def gone() -> None:
        raise RuntimeError("The client this element belongs to has been deleted.")

    async def worked() -> None:
        client = Client(page_of("/left"))
        with client:
            box = ui.column()
        if left:
            client.delete()
        assert has_left(box) is left
        await while_shown(box, gone())

    if left:
        asyncio.run(worked())
    else:
        with pytest.raises(RuntimeError, match="deleted"):
            asyncio.run(worked())


def test_a_page_whose_sign_in_ended_while_it_was_left_asks_nobody_to_sign_in(seat: Seat) -> None:
    async def left_while_asking() -> None:
        client = Client(page_of("/left"))
        with client:
            workbench = Workbench(seat, seat.room.pulse.read(), None)
            await workbench.draw()
        seat.room.users.end_sign_in(seat.sign_in)
        with client:
            ticking = asyncio.ensure_future(workbench.tick())
        await asyncio.sleep(0)
        client.delete()
        del client
        gc.collect()
        await ticking

    asyncio.run(left_while_asking())
