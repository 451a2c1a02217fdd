"""The workbench: conversation on the left, approvals and the plan on the right, all of it from the session."""

from collections.abc import Mapping

from nicegui import run, ui

from graph.views import PlanView, Trigger, TriggerKind
from tools.domain.errors import NotFound
from web.live import Glance
from web.pages.approvals import ApprovalCards
from web.pages.chat import Chat
from web.pages.facts_tab import FactsTab
from web.pages.items_tab import ItemsTab
from web.pages.parts import action, chip
from web.pages.plan_tab import PlanTab
from web.pages.risks_tab import RisksTab
from web.pages.room import Seat
from web.pages.runs_tab import RunsTab
from web.pages.wording import plain

TABS = ("Approvals", "Plan", "Items", "Risks", "Runs", "Data")


class Workbench:
    """One open page."""

    def __init__(self, seat: Seat, glance: Glance, plan: PlanView | None) -> None:
        self._seat = seat
        self._glance = glance
        self._plan = plan
        self._stale: set[str] = set(TABS)
        self._header()
        with ui.element("main").classes("workbench"):
            with ui.element("section").classes("left").props('aria-label="Conversation"'):
                self._chat = Chat(seat, self.refresh)
            with ui.element("section").classes("right").props('aria-label="Plan"'):
                self._build_tabs()

    def _header(self) -> None:
        with ui.element("header").classes("topbar"):
            with ui.element("h1").classes("brand"):
                ui.label("JIT Sourcing")
            self._facts = ui.row().classes("topbar-facts")
            ui.space()
            action(
                "Replan",
                self._replan,
                refused=self._seat.refused("plan"),
                icon="autorenew",
                kind="main",
                name="Replan all items",
            )
            self._halt = ui.row().classes("topbar-halt")
            ui.label(f"{self._seat.person.name} · {self._seat.person.role}").classes("fine")
            ui.button(icon="logout", on_click=lambda: ui.navigate.to("/logout")).props(
                'flat round dense aria-label="Sign out"'
            )

    def _build_tabs(self) -> None:
        start = "Approvals" if self._glance.pending or self._plan is None else "Plan"
        with ui.tabs().props("dense no-caps align=left").classes("tabs") as tabs:
            buttons = {name: ui.tab(name) for name in TABS}
        with buttons["Approvals"]:
            self._count = ui.badge("0", color="warning").props("floating").classes("count")
        self._tabs = tabs
        tabs.set_value(start)
        with ui.tab_panels(tabs, value=buttons[start], animated=False, keep_alive=True).classes("panels"):
            with ui.tab_panel("Approvals"):
                self._approvals = ApprovalCards(self._seat, self.refresh)
            with ui.tab_panel("Plan"):
                self._plan_tab = PlanTab()
            with ui.tab_panel("Items"):
                self._items = ItemsTab()
            with ui.tab_panel("Risks"):
                self._risks = RisksTab()
            with ui.tab_panel("Runs"):
                self._runs = RunsTab(self._seat)
            with ui.tab_panel("Data"):
                self._data = FactsTab(self._seat, self.refresh)
        tabs.on_value_change(self._show_tab)

    async def draw(self) -> None:
        """Fill everything that is always visible, and the tab that is open."""
        glance = self._glance
        self._show_status(glance.status)
        self._chat.update(glance)
        self._approvals.update(glance.pending)
        self._count.set_text(str(len(glance.pending)))
        self._count.set_visibility(bool(glance.pending))
        self._stale = set(TABS)
        await self._show_tab()

    async def tick(self) -> None:
        """Look whether anything changed; redraw only then."""
        glance = await run.io_bound(self._seat.room.pulse.read)
        if glance is None or glance.stamp == self._glance.stamp:
            return
        await self._take(glance)

    async def refresh(self) -> None:
        """Look anew after something was done here."""
        glance = await run.io_bound(lambda: self._seat.room.pulse.read(fresh=True))
        if glance is not None:
            await self._take(glance)

    async def _take(self, glance: Glance) -> None:
        self._glance = glance
        self._plan = await run.io_bound(latest_plan, self._seat)
        await self.draw()

    async def _show_tab(self) -> None:
        name = str(self._tabs.value)
        if name not in self._stale:
            return
        self._stale.discard(name)
        if name == "Plan":
            self._plan_tab.update(self._plan)
        elif name == "Items":
            self._items.update(self._plan)
        elif name == "Risks":
            self._risks.update(self._plan)
        elif name == "Runs":
            await self._runs.update(self._glance.runs)
        elif name == "Data":
            self._data.update(self._glance.status, self._plan)

    def _show_status(self, status: Mapping[str, object]) -> None:
        halted = bool(status.get("halted"))
        self._facts.clear()
        with self._facts:
            for label, key in (("Dataset", "dataset"), ("Policy", "policy"), ("Model", "model")):
                if status.get(key):
                    chip(f"{label} {plain(status[key])[:24]}", "plain")
            if halted:
                chip("Dispatch halted", "bad")
        self._halt.clear()
        with self._halt:
            wanted = "resume" if halted else "halt"
            label = "Allow dispatch" if halted else "Halt dispatch"
            action(
                label,
                lambda: self._set_halt(not halted),
                refused=self._seat.refused(wanted),
                icon="play_arrow" if halted else "pan_tool",
                kind="danger",
            )

    async def _set_halt(self, on: bool) -> None:
        await self._seat.act("halt" if on else "resume", self._seat.room.session.halt, self._seat.person.name, on)
        await self.refresh()

    async def _replan(self) -> None:
        trigger = Trigger(kind=TriggerKind.ANALYST, actor=self._seat.person.name, reason="Replan from the workbench")
        feed = await self._seat.act("plan", self._seat.room.live.start, trigger)
        if feed is not None:
            ui.notify("A run is under way; its steps appear beside the conversation.", type="info")
            await self._seat.act("plan", lambda: list(feed.follow()))
        await self.refresh()


def latest_plan(seat: Seat) -> PlanView | None:
    """The latest run's plan, or None before the first run."""
    try:
        return seat.room.session.plan()
    except NotFound:
        return None
