"""The conversation: questions in words, answers with their sources, and the steps of the run under way."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import cast

from nicegui import ui

from graph.views.runs import UNDER_WAY, RunView, StepView, TriggerKind
from web.live import MESSAGES_SHOWN, Glance
from web.pages.room import Seat
from web.pages.widgets.outcomes import counted
from web.pages.widgets.parts import action, chip, cut, heading
from web.pages.widgets.wording import seconds, source_words, when

SUGGESTIONS = (
    "Why is this the plan?",
    "Which items are at risk?",
    "What waits for approval, and why?",
    "Replan all items",
)


KIND_WORDS = {
    TriggerKind.ANALYST: "Run of an analyst",
    TriggerKind.ALERT: "Run after an alert",
    TriggerKind.SCHEDULE: "Scheduled run",
    TriggerKind.CLI: "Run from the command line",
    TriggerKind.EVAL: "Evaluation run",
}
STEPS_SHOWN = 20
EARLIER_SHOWN = 500
Changed = Callable[[], Awaitable[None]]
OpenSource = Callable[[str], Awaitable[None]]


class Chat:
    """Appends what is new; the question that is being typed stays where it is."""

    def __init__(self, seat: Seat, changed: Changed, open_source: OpenSource) -> None:
        self._seat = seat
        self._changed = changed
        self._open_source = open_source
        self._last: Mapping[str, object] | None = None
        self._steps_shown: tuple[object, ...] = ()
        self._progress: _Progress | None = None
        self._asking = False
        heading("Ask about the plan")
        self._scroll = ui.scroll_area().classes("chat-scroll").props('tabindex=0 role=log aria-label="Conversation"')
        with self._scroll:
            self._suggestions = ui.column().classes("suggestions")
            self._earlier = ui.column().classes("turns")
            self._turns = ui.column().classes("turns")
            self._waiting = ui.column().classes("turns")
        self._run = ui.column().classes("run-card").props('role=status aria-live=polite aria-label="Latest run"')
        self._suggest()
        self._ask_row()

    def _suggest(self) -> None:
        with self._suggestions:
            ui.label("Answers come from stored facts of the runs and name their sources.").classes("fine")
            for text in SUGGESTIONS:
                action(text, lambda text=text: self.ask(text), refused=self._seat.refused("ask"), kind="suggestion")

    def _ask_row(self) -> None:
        refused = self._seat.refused("ask")
        with ui.row().classes("ask-row"):
            self._input = ui.input(placeholder="Ask, or “replan ITEM”").props('outlined dense aria-label="Question"')
            self._input.classes("ask-input").on("keydown.enter", self._send)
            with ui.element("span"):
                self._button = ui.button(icon="send", on_click=self._send).props('unelevated dense aria-label="Ask"')
                self._button.classes("button-main")
                if refused:
                    ui.tooltip(refused)
        if refused:
            self._input.disable()
            self._button.disable()

    async def _send(self) -> None:
        question = str(self._input.value or "").strip()
        if question and not self._asking:
            self._input.value = ""
            await self.ask(question)

    async def ask(self, question: str) -> None:
        """Ask, and show the question at once."""
        if self._asking:
            return
        self._asking = True
        self._suggestions.set_visibility(False)
        with self._waiting:
            self._turn({"role": "user", "text": question})
            with ui.row().classes("thinking"):
                ui.spinner(size="1.1em")
                ui.label("Looking through the stored facts …").classes("fine")
        self._scroll.scroll_to(percent=1.0)
        session, name = self._seat.room.session, self._seat.person.name
        await self._seat.act("ask", lambda: session.ask(question, actor=name))
        self._asking = False
        self._waiting.clear()
        await self._changed()

    def update(self, glance: Glance) -> None:
        """Append new messages and redraw the steps when they changed."""
        self._append(glance.messages)
        feed = self._seat.room.live.latest
        steps = feed.steps if feed and not feed.done and feed.steps else glance.steps
        run = glance.running or (glance.runs[0] if glance.runs else None)
        own = [step for step in steps if run and step.run_id == run.run_id]
        ended = [step for step in own if step.status != UNDER_WAY]
        computes = next((step for step in own[-1:] if step.status == UNDER_WAY), None)
        marks = (run, len(ended))
        if marks != self._steps_shown:
            self._steps_shown = marks
            self._run.clear()
            self._progress = None
            with self._run:
                if run:
                    self._run_card(run, ended)
        if self._progress is not None:
            self._progress.show(computes)
        self._run.set_visibility(run is not None)

    def _run_card(self, run: RunView, steps: Sequence[StepView]) -> None:
        """The latest run: its steps as they come, or, of one that is through, when somebody opens them."""
        running = run.status.value == "running"
        with ui.row().classes("run-head"):
            if running:
                ui.spinner(size="1em")
            ui.label(f"{KIND_WORDS.get(run.trigger.kind, 'Run')} · {when(run.started_at)}").classes("strong")
            chip(run.status.value, "busy" if running else None)
            if running:
                ui.space()
                action("Cancel", lambda: self._cancel(run), refused=self._seat.refused("plan"), name="Cancel the run")
        if running:
            _steps(steps[-STEPS_SHOWN:])
            self._progress = _Progress()
            return
        with ui.expansion(_sentence(run)).classes("run-steps").props("dense") as box:
            inside = ui.column().classes("fill")

        async def fill() -> None:
            if not box.value or list(inside):
                return
            session = self._seat.room.session
            with inside:
                found = await self._seat.act("read", lambda: list(session.stream(run_id=run.run_id))) or ()
            with inside:
                cut(found, _steps, of="steps", first=STEPS_SHOWN)

        box.on_value_change(fill)

    async def _cancel(self, run: RunView) -> None:
        """End the run while it computes; the plan before it stays current."""
        session, name = self._seat.room.session, self._seat.person.name
        ended = await self._seat.act("plan", session.cancel, name, run.run_id)
        if ended is not None:
            through = ended.status.value != "running"
            ui.notify("The run is cancelled; the plan before it stays." if through else "The run ends in a moment.")
        await self._changed()

    def _append(self, messages: Sequence[Mapping[str, object]]) -> None:
        stored = messages[:-1] if self._asking and messages and messages[-1].get("role") == "user" else messages
        seen = next((place for place in range(len(stored), 0, -1) if stored[place - 1] == self._last), 0)
        fresh = stored[seen:]
        if not fresh:
            return
        if self._last is None and len(stored) == MESSAGES_SHOWN:
            self._offer_earlier()
        self._suggestions.set_visibility(False)
        with self._turns:
            for message in fresh:
                self._turn(message)
        self._last = stored[-1]
        self._scroll.scroll_to(percent=1.0)

    def _offer_earlier(self) -> None:
        """More may be stored than a page begins with."""

        async def show() -> None:
            with self._earlier:
                found = await self._seat.act("read", self._seat.room.session.messages, "main", EARLIER_SHOWN) or ()
            self._earlier.clear()
            with self._earlier:
                for message in found[: -len(list(self._turns))]:
                    self._turn(message)
                if len(found) == EARLIER_SHOWN:
                    ui.label(f"The latest {EARLIER_SHOWN:,} messages; all of them are stored.").classes("fine")

        with self._earlier:
            action("Earlier messages", show, kind="suggestion")

    def _turn(self, message: Mapping[str, object]) -> None:
        mine = message.get("role") == "user"
        with ui.column().classes("turn turn-user" if mine else "turn turn-answer"):
            if mine and message.get("actor"):
                ui.label(f"{message['actor']} · {when(str(message.get('at', '')))}").classes("fine")
            for paragraph in str(message.get("text", "")).splitlines() or [""]:
                ui.label(paragraph).classes("turn-text")
            sources = message.get("sources")
            if isinstance(sources, list | tuple) and sources:
                self._sources([str(source) for source in cast(Sequence[object], sources)])

    def _sources(self, sources: Sequence[str]) -> None:
        with ui.row().classes("sources").props('role=group aria-label="Sources"'):
            ui.label("From").classes("fine")
            for source in sources:
                self._source(source)

    def _source(self, source: str) -> None:
        async def show() -> None:
            await self._open_source(source)

        button = ui.button(source_words(source), on_click=show, color=None)
        button.props("flat dense no-caps").classes("chip chip-source")
        button.props["title"] = source


class _Progress:
    """How far the step is that computes: a bar, and a sentence that is not read out each time it changes."""

    def __init__(self) -> None:
        with ui.column().classes("fill step-progress") as self._box:
            self._title = ui.label().classes("strong")
            self._bar = ui.linear_progress(0.0, show_value=False).props("rounded aria-label=Progress")
            self._text = ui.label().classes("step-text").props("aria-live=off")
        self._box.set_visibility(False)

    def show(self, step: StepView | None) -> None:
        """The step that computes; nothing where it is not known how far it is."""
        self._box.set_visibility(step is not None)
        if step is not None:
            self._title.set_text(step.title)
            self._bar.set_value(step.done / max(step.expected, 1))
            self._text.set_text(step.summary)


def _sentence(run: RunView) -> str:
    waiting = f"{counted(run.pending_approvals, 'order')} {'waits' if run.pending_approvals == 1 else 'wait'}"
    return f"{counted(run.n_lines, 'line')}, {waiting} for approval, {run.dispatched} dispatched"


def _steps(steps: Sequence[StepView]) -> None:
    with ui.element("ol").classes("steps"):
        for step in steps:
            with ui.element("li").classes("step"):
                with ui.row().classes("step-head"):
                    ui.icon("check" if step.status == "ok" else "more_horiz").classes("step-mark").props(
                        "aria-hidden=true"
                    )
                    ui.label(step.title).classes("strong")
                    ui.label(seconds(step.seconds)).classes("fine")
                if step.summary:
                    ui.label(step.summary).classes("step-text")
