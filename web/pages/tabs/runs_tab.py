"""Runs, and the journal of one as a timeline."""

from collections.abc import Awaitable, Callable, Sequence

from nicegui import ui

from graph.views.runs import RunView, TransitionView
from web.pages.room import Seat
from web.pages.widgets.outcomes import counted
from web.pages.widgets.parts import action, chip, empty, heading, showing
from web.pages.widgets.wording import money, plain, seconds, short, when, words

SHOWN_ROWS = 40
MORE_ROWS = 200
SHOWN_RUNS = 20
MOST_RUNS = 500


class RunsTab:
    """Runs on the left, the timeline of the picked one on the right."""

    def __init__(self, seat: Seat, open_plan: Callable[[str], Awaitable[None]]) -> None:
        self._seat = seat
        self._open_plan = open_plan
        self._runs: Sequence[RunView] = ()
        self._picked = ""
        self._wanted = SHOWN_RUNS
        self._rows = SHOWN_ROWS
        with ui.row().classes("table-head"):
            heading("Runs and journal")
            ui.space()
            action("Show its plan", self._show_plan, icon="list_alt", name="Show the plan of the picked run")
            action("Verify journal", self._verify, icon="verified")
            action("Recompute run", self._replay, icon="replay")
        self._result = ui.label("").classes("notice").props("role=status")
        self._result.set_visibility(False)
        with ui.row().classes("split"):
            self._list = ui.column().classes("run-list")
            self._timeline = ui.column().classes("timeline")

    async def update(self) -> None:
        """Read the latest runs, and show the journal of the picked or latest one."""
        with self._list:
            found = await self._seat.act("read", self._seat.room.session.runs, self._wanted)
        if found is not None:
            await self._show(found)

    async def _show(self, runs: Sequence[RunView]) -> None:
        self._runs = runs
        if runs and self._picked not in {run.run_id for run in runs}:
            self._picked = runs[0].run_id
        self._list.clear()
        with self._list:
            for run in runs:
                self._run(run)
            if len(runs) == self._wanted and self._wanted < MOST_RUNS:
                action("Earlier runs", self._earlier)
            elif len(runs) == MOST_RUNS:
                ui.label(f"The latest {MOST_RUNS:,}; `jit runs --limit` lists more.").classes("fine")
        await self._draw()

    async def _earlier(self) -> None:
        self._wanted = min(self._wanted + SHOWN_RUNS, MOST_RUNS)
        await self.update()

    def _run(self, run: RunView) -> None:
        picked = run.run_id == self._picked
        row = ui.button(on_click=lambda: self._pick(run.run_id), color=None).props("flat no-caps align=left")
        row.classes("run-row run-picked" if picked else "run-row")
        row.props["aria-label"] = f"Run {run.run_id}, {run.status.value}"
        row.props["aria-pressed"] = "true" if picked else "false"
        with row, ui.column().classes("run-cell"):
            with ui.row().classes("run-head"):
                ui.label(when(run.started_at)).classes("strong")
                chip(run.status.value)
            ui.label(f"{words(run.trigger.kind.value)} by {run.trigger.actor}").classes("fine")
            ui.label(f"{counted(run.n_lines, 'line')}, {money(run.order_value, run.currency)}").classes("fine")

    async def _pick(self, run_id: str) -> None:
        self._picked, self._rows = run_id, SHOWN_ROWS
        await self._show(self._runs)

    async def _draw(self) -> None:
        rows: Sequence[TransitionView] = ()
        if self._picked:
            with self._timeline:  # the button that was clicked may be gone by now
                rows = await self._seat.act("read", self._seat.room.session.journal, self._picked) or ()
        self._timeline.clear()
        with self._timeline:
            if not rows:
                empty("No journal rows yet.", "Every step of a run is written here.")
            with ui.element("ol").classes("rows"):
                for row in rows[-self._rows :]:
                    _transition(row)
            if len(rows) > self._rows:
                showing(self._rows, len(rows), "rows", self._more_rows)

    async def _more_rows(self) -> None:
        self._rows += MORE_ROWS
        await self._draw()

    async def _show_plan(self) -> None:
        if self._picked:
            await self._open_plan(self._picked)

    async def _verify(self) -> None:
        check = await self._seat.act("read", self._seat.room.session.verify_journal)
        if check is not None:
            end = f"Head {short(check.head_hash)}, {check.lag_rows} not yet written."
            self._say(f"{check.sentence.rstrip('.')}. {end}")

    async def _replay(self) -> None:
        if not self._picked:
            return
        result = await self._seat.act("read", self._seat.room.session.replay, self._picked)
        if result is not None:
            same = "gave the same plan" if result.get("identical") else "gave ANOTHER plan"
            hashes = f"stored {short(str(result.get('stored')))}, recomputed {short(str(result.get('replayed')))}"
            self._say(f"Recomputing {self._picked} {same}: {hashes}.")

    def _say(self, text: str) -> None:
        self._result.set_text(text)
        self._result.set_visibility(True)


def _transition(row: TransitionView) -> None:
    with ui.element("li").classes("transition"):
        with ui.row().classes("step-head"):
            ui.label(str(row.seq)).classes("fine seq")
            ui.label(row.node).classes("strong")
            chip(row.event, "plain")
            if row.status != "ok":
                chip(row.status)
            ui.space()
            ui.label(seconds((row.ended_at - row.started_at).total_seconds())).classes("fine")
            ui.label(short(row.hash)).classes("mono fine")
        text = plain(row.payload)
        if text:
            ui.label(text).classes("step-text clamp")
