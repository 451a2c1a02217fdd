"""The workbench: conversation on the left, approvals and the plan on the right, all of it from the session."""

import asyncio
from collections.abc import Mapping

from nicegui import run, ui

from graph.views.plans import PlanView
from graph.views.runs import Trigger, TriggerKind
from tools.domain.errors import NotFound
from web.live import Glance
from web.pages.room import Seat
from web.pages.tabs.approvals import ApprovalCards
from web.pages.tabs.chat import Chat
from web.pages.tabs.facts_tab import FactsTab
from web.pages.tabs.history_tab import HistoryTab
from web.pages.tabs.items_tab import ItemsTab
from web.pages.tabs.plan_tab import PlanTab
from web.pages.tabs.risks_tab import RisksTab
from web.pages.tabs.runs_tab import RunsTab
from web.pages.widgets.line_drawer import LineDrawer
from web.pages.widgets.parts import action, chip, while_shown
from web.pages.widgets.wording import plain

SOURCE_TABS = {
    "line": "Plan",
    "outlook": "Items",
    "risk": "Risks",
    "lead_time": "Risks",
    "arrival": "Risks",
    "verdict": "Plan",
    "kpi": "Data",
    "conflict": "Plan",
}
"""Kind of a stored fact to the tab that shows it."""
SOON_SECONDS = 0.3
"""After this a run that was started is stored, so that its progress shows at once."""
TABS = ("Approvals", "Plan", "Items", "Risks", "Decisions", "Runs", "Data")


class Workbench:
    """One open page."""

    def __init__(self, seat: Seat, glance: Glance, tab: str = "") -> None:
        self._seat = seat
        self._glance = glance
        self._stale: set[str] = set(TABS)
        self._alone = ""
        self._header()
        with ui.element("div").classes("workbench"):
            with ui.element("section").classes("panes").props('aria-label="Plan"'):
                self._build_tabs(tab)
            with ui.element("section").classes("talk").props('aria-label="Conversation"'):
                self._chat = Chat(seat, self.refresh, self.open_source)

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
            ui.label(f"{self._seat.person.name} · {self._seat.person.role}").classes("fine who")
            leave = ui.button(icon="logout", on_click=lambda: ui.navigate.to("/logout"), color=None)
            leave.props('flat round dense aria-label="Sign out"').classes("who")

    def _build_tabs(self, asked_for: str) -> None:
        glance = self._glance
        usual = "Approvals" if glance.waiting.total or glance.running or not glance.runs else "Plan"
        start = next((name for name in TABS if name.lower() == asked_for), usual)
        drawer = LineDrawer(self._seat)
        with ui.tabs().props("dense no-caps align=left").classes("tabs") as tabs:
            buttons = {name: ui.tab(name) for name in TABS}
        with buttons["Approvals"]:
            self._count = ui.badge("0", color=None).classes("count")
        self._tabs = tabs
        tabs.set_value(start)
        with ui.tab_panels(tabs, value=start, animated=False, keep_alive=True).classes("panels"):
            with ui.tab_panel("Approvals"):
                self._approvals = ApprovalCards(self._seat, self.refresh, drawer)
            with ui.tab_panel("Plan"):
                self._plan_tab = PlanTab(drawer, self._show_current)
            with ui.tab_panel("Items"):
                self._items = ItemsTab(self._seat, self.refresh)
            with ui.tab_panel("Risks"):
                self._risks = RisksTab(self._seat)
            with ui.tab_panel("Decisions"):
                self._history = HistoryTab(self._seat)
            with ui.tab_panel("Runs"):
                self._runs = RunsTab(self._seat, self.show_run)
            with ui.tab_panel("Data"):
                self._data = FactsTab(self._seat, self.refresh)
        tabs.on_value_change(self._open_tab)

    async def begin(self) -> None:
        """Fill what a page opens with. Only what waits for a signature comes with it; other tabs follow."""
        if self._tabs.value == "Approvals":
            await self.draw()
        else:
            self._show_frame()
            ui.timer(0.01, self._show_tab, once=True)

    async def draw(self) -> None:
        """Fill everything that is always visible, and the tab that is open; approvals also tell what is decided."""
        self._show_frame()
        self._stale = set(TABS)
        if self._approvals.drawn:
            await self._update("Approvals")
        await self._show_tab()

    def _show_frame(self) -> None:
        glance = self._glance
        self._show_status(glance.status)
        self._chat.update(glance)
        self._count.set_text(f"{glance.waiting.total:,}")
        self._count.set_visibility(bool(glance.waiting.total))

    async def tick(self) -> None:
        """Look whether the sign-in still stands, and whether anything changed; redraw only then."""
        await while_shown(self._tabs, self._look())

    async def _look(self) -> None:
        if not await run.io_bound(self._seat.still_taken):
            ui.navigate.to("/signin")
            return
        glance = await run.io_bound(self._seat.room.pulse.read)
        if glance is None:
            return
        if glance.stamp != self._glance.stamp:
            await self._take(glance)
        elif glance.running and not self._tabs.is_deleted:
            self._chat.update(glance)

    async def refresh(self) -> None:
        """Look anew after something was done here."""
        glance = await run.io_bound(lambda: self._seat.room.pulse.read(fresh=True))
        if glance is not None:
            await self._take(glance)

    async def _take(self, glance: Glance) -> None:
        self._glance = glance
        if not self._tabs.is_deleted:  # else whoever looked has left meanwhile
            await self.draw()

    async def show_run(self, run_id: str) -> None:
        """Show what a run planned itself until somebody goes back; without one the current plan is followed."""
        self._alone = run_id
        self._stale = set(TABS)
        self._tabs.set_value("Plan")
        await self._show_tab()

    async def _show_current(self) -> None:
        await self.show_run("")

    def _looked_at(self) -> str:
        """What is looked at, when it is not the current plan."""
        runs = self._glance.runs
        if not self._alone:
            return ""
        if runs and runs[0].run_id == self._alone:
            return "You look at what the latest run planned itself."
        return "You look at an earlier run."

    async def _open_tab(self) -> None:
        """Show the tab, and name it in the page's address: a reload or a link opens it again."""
        ui.navigate.history.replace(f"/?tab={str(self._tabs.value).lower()}")
        await self._show_tab()

    async def _show_tab(self) -> None:
        name = str(self._tabs.value)
        if name in self._stale:
            await self._update(name)

    async def _update(self, name: str) -> None:
        """Fill a tab; who has left while something was read for them gets nothing drawn."""
        self._stale.discard(name)
        try:
            await self._fill(name)
        except (LookupError, RuntimeError, ValueError):  # an element that is gone takes no other and has none
            if not self._tabs.is_deleted:
                raise

    async def _fill(self, name: str) -> None:
        if name == "Approvals":
            await self._approvals.update(self._glance)
        elif name == "Plan":
            await self._plan_tab.update(await self._plan(), self._looked_at())
        elif name == "Items":
            await self._items.update(await self._plan())
        elif name == "Risks":
            await self._risks.update(await self._plan())
        elif name == "Decisions":
            await self._history.update()
        elif name == "Runs":
            await self._runs.update()
        elif name == "Data":
            await self._data.update(await self._plan())

    async def _plan(self) -> PlanView | None:
        return await run.io_bound(stored_plan, self._seat, self._alone)

    async def open_source(self, source: str) -> None:
        """Show the fact that an answer rests on, where this page has it."""
        kind, _, rest = source.partition(":")
        tab = SOURCE_TABS.get(
            kind, "Runs" if kind.startswith("run-") else "Approvals" if kind.startswith("ap-") else ""
        )
        if not tab:
            runs = self._glance.runs
            ui.notify(f"{source} is a stored figure of run {runs[0].run_id if runs else 'none'}.")
            return
        self._tabs.set_value(tab)
        await self._show_tab()
        if kind == "line":
            self._plan_tab.explain(rest)
        elif kind == "outlook":
            await self._items.pick(rest)

    def _show_status(self, status: Mapping[str, object]) -> None:
        halted = bool(status.get("halted"))
        self._facts.clear()
        with self._facts:
            for label, key in (("Dataset", "dataset"), ("Policy", "policy"), ("Model", "model")):
                if status.get(key):
                    chip(f"{label} {plain(status[key])[:24]}", "plain").props["title"] = plain(status[key])
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
            ui.notify("A run is under way; its steps appear below the conversation.", type="info")
            await asyncio.sleep(SOON_SECONDS)
            await self.refresh()
            steps = await self._seat.act("plan", lambda: list(feed.follow()))
            if steps:
                ui.notify("The run is through. See what waits under Approvals.", type="positive")
        await self.refresh()


def stored_plan(seat: Seat, run_id: str = "") -> PlanView | None:
    """What a run planned, the current plan when none is named; None before the first run."""
    try:
        return seat.room.pulse.plan(run_id)
    except NotFound:
        return None
