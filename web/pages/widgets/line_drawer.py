"""The drawer that explains one order line: formula, figures, notes, limits, gates, and what else it could be."""

from nicegui import ui

from graph.views.orders import LineView, VerdictView
from web.pages.room import Seat
from web.pages.widgets.line_story import story_section
from web.pages.widgets.parts import chip, figures, heading, while_shown
from web.pages.widgets.wording import money, quantity, words

WEIGHED = ("place", "expedite", "switch_supplier")
"""Intents that have a quantity to weigh."""


class LineDrawer:
    """Opens over the page from its right edge; Escape closes it. What takes computing follows a moment later."""

    def __init__(self, seat: Seat) -> None:
        self._seat = seat
        self._dialog = ui.dialog().props('position=right full-height aria-label="Explanation of an order line"')

    def show(self, line: LineView, run_id: str) -> None:
        """Open with everything that explains a line of a run."""
        self._dialog.clear()
        with self._dialog, ui.card().classes("drawer").props("role=document tabindex=0"):
            with ui.row().classes("drawer-head"):
                heading(named(line.item_id, line.item))
                ui.space()
                ui.button(icon="close", on_click=self._dialog.close).props('flat round dense aria-label="Close"')
            _explanation(line)
            if line.intent in WEIGHED:
                with ui.column().classes("fill").props("aria-live=polite") as box:
                    ui.label("Weighing other quantities and sources …").classes("fine")
                ui.timer(0.05, lambda: while_shown(box, self._tell(box, line.line_id, run_id)), once=True)
        self._dialog.open()

    async def _tell(self, box: ui.column, line_id: str, run_id: str) -> None:
        """Fill in the story once it is computed, unless the drawer shows another line by then."""
        with box:
            story = await self._seat.act("read", self._seat.room.session.line_story, line_id, run_id)
        if box.is_deleted:
            return
        box.clear()
        with box:
            if story is None:
                ui.label("What other quantities would cost cannot be told for this line.").classes("fine")
            else:
                story_section(story)


def named(item_id: str, item: str) -> str:
    """An item as people look for it: id and description."""
    return f"{item_id} · {item}" if item and item != item_id else item_id


def _explanation(line: LineView) -> None:
    with ui.row().classes("chips"):
        chip(line.status)
        chip(words(line.intent), "plain")
    ui.label(
        f"{quantity(line.quantity, line.uom)} from {line.supplier} at {money(line.unit_price, line.currency)},"
        f" {money(line.landed_cost, line.currency)} landed. Ordered {line.order_date}, arrives {line.expected_arrival}."
    )
    if line.sentence:
        ui.label(line.sentence).classes("sentence")
    _sentences("Why", line.reasons)
    if line.verdicts:
        heading("Gates", 3)
        for verdict in line.verdicts:
            show_verdict(verdict)
    with ui.expansion("The mathematics").classes("fill").props("dense"):
        _mathematics(line)


def _mathematics(line: LineView) -> None:
    """Formula, every figure, notes and limits: what the sentence was made from."""
    if line.formula:
        heading("Formula", 3)
        if line.policy:
            ui.label(f"Policy: {line.policy}").classes("fine")
        ui.label(line.formula).classes("formula")
    if line.figures:
        heading("Figures", 3)
        figures([(words(name), quantity(value)) for name, value in line.figures.items()])
    _sentences("Notes and next best source", line.notes)
    _sentences("Limits that bind", line.binding)


def _sentences(title: str, found: tuple[str, ...]) -> None:
    if found:
        heading(title, 3)
        with ui.element("ul").classes("reasons"):
            for text in found:
                with ui.element("li"):
                    ui.label(text)


def show_verdict(verdict: VerdictView) -> None:
    """A gate's answer in one row."""
    with ui.row().classes("verdict"):
        chip(verdict.effect)
        with ui.column().classes("verdict-text"):
            ui.label(verdict.reason)
            limits = f" · limit {verdict.limit}, actual {verdict.actual}" if verdict.limit or verdict.actual else ""
            ui.label(f"{verdict.gate} · {words(verdict.rule).lower()} · {verdict.subject}{limits}").classes("fine")
