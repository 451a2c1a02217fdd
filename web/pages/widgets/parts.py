"""Small parts of pages: tables of labels, chips, empty states. Text only ever goes into labels."""

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from nicegui import ui

_SAID = {
    "good": "done approved confirmed dispatched received allow ok low",
    "wait": "waiting require_approval pending medium warn edited interrupted queued",
    "bad": "failed denied deny rejected high critical error stopped void",
    "busy": "running leased",
}
FIRST_ROWS = 25
FIRST_SENTENCES = 5
MORE_ROWS = 100
"""Rows that one request for more adds."""
Shown = TypeVar("Shown")
Cell = str | Callable[[], object]
"""Text of a table's cell, or what draws it."""
TONES = {word: tone for tone, said in _SAID.items() for word in said.split()}
"""Status or effect to the colour class of its chip; whatever is not named is neutral."""


def chip(text: str, tone: str | None = None) -> ui.label:
    """A small rounded label, coloured by what it says."""
    return ui.label(text.replace("_", " ")).classes(f"chip chip-{tone or TONES.get(text, 'plain')}")


def has_left(element: ui.element) -> bool:
    """Whether the page of an element is gone: whoever looked at it has left."""
    try:
        return element.is_deleted or element.client.is_deleted
    except RuntimeError:  # its page is not even known any more
        return True


async def while_shown(element: ui.element, work: Awaitable[None]) -> None:
    """Work of a timer on an element's page; what of it finds the page gone is done."""
    try:
        await work
    except RuntimeError:  # an element whose page is gone takes no other
        if not has_left(element):
            raise


def grid_table(
    headers: Sequence[str], rows: Sequence[Sequence[Cell]], *, numeric: Sequence[int] = (), name: str
) -> None:
    """A real table; text becomes labels, `numeric` columns stand right."""
    with (
        ui.element("div").classes("table-scroll").props(f'tabindex=0 role=region aria-label="{name}"'),
        ui.element("table").classes("plain-table"),
    ):
        with ui.element("thead"), ui.element("tr"):
            for place, header in enumerate(headers):
                with ui.element("th").props("scope=col").classes("number" if place in numeric else ""):
                    ui.label(header)
        with ui.element("tbody"):
            for row in rows:
                with ui.element("tr"):
                    for place, cell in enumerate(row):
                        with ui.element("td").classes("number" if place in numeric else ""):
                            ui.label(cell) if isinstance(cell, str) else cell()


def long_table(
    headers: Sequence[str], rows: Sequence[Sequence[Cell]], *, numeric: Sequence[int] = (), name: str, of: str
) -> None:
    """A table whose first rows are shown; where there are more, it says how many of them, and shows more on request."""

    def draw(found: Sequence[Sequence[Cell]]) -> None:
        grid_table(headers, found, numeric=numeric, name=name)

    cut(rows, draw, of=of)


def sentences(found: Sequence[str], classes: str = "", *, of: str) -> None:
    """Sentences one below the other, the first of them where there are many."""

    def draw(shown: Sequence[str]) -> None:
        for text in shown:
            ui.label(text).classes(classes)

    cut(found, draw, of=of, first=FIRST_SENTENCES)


def cut(rows: Sequence[Shown], draw: Callable[[Sequence[Shown]], None], *, of: str, first: int = FIRST_ROWS) -> None:
    """Draw the first rows; where there are more, say how many of how many, and draw more on request."""
    box = ui.column().classes("fill")

    def show(number: int) -> None:
        box.clear()
        with box:
            draw(rows[:number])
            if len(rows) > number:
                showing(number, len(rows), of, lambda: show(number + MORE_ROWS))

    show(first)


def showing(number: int, total: int, of: str, more: Callable[[], object]) -> None:
    """A line below what is cut: how much of it is shown, with a button for more."""
    with ui.row().classes("tool-row"):
        ui.label(f"Showing {number:,} of {total:,} {of}.").classes("fine").props("role=status")
        action("Show more", more, icon="expand_more", name=f"Show more {of}")


def figures(pairs: Sequence[tuple[str, str]]) -> None:
    """Names and values as a definition list."""
    with ui.element("dl").classes("figures"):
        for name, value in pairs:
            with ui.element("div"):
                with ui.element("dt"):
                    ui.label(name)
                with ui.element("dd"):
                    ui.label(value)


def heading(text: str, level: int = 2) -> None:
    """A heading that screen readers find."""
    with ui.element(f"h{level}").classes("heading"):
        ui.label(text)


def focusable_heading(text: str, level: int = 2) -> ui.element:
    """A heading that a script may move the focus to, when what had it is gone."""
    with ui.element(f"h{level}").classes("heading").props("tabindex=-1") as found:
        ui.label(text)
    return found


def dialog_title(text: str) -> None:
    """The heading of a dialog."""
    with ui.element("h2").classes("dialog-title"):
        ui.label(text)


def quoted(text: str) -> str:
    """Text that can stand inside a quoted attribute."""
    return "".join(letter for letter in text if letter.isalnum() or letter in " .,-&()")


def empty(text: str, hint: str = "") -> None:
    """What to show when there is nothing."""
    with ui.column().classes("empty"):
        ui.label(text).classes("empty-title")
        if hint:
            ui.label(hint)


def action(
    label: str,
    on_click: Callable[[], object],
    *,
    refused: str = "",
    icon: str | None = None,
    kind: str = "quiet",
    name: str = "",
) -> ui.button:
    """A button; when the person may not use it, it is disabled and says why."""
    with ui.element("span").classes("action"):
        button = (
            ui.button(label, on_click=on_click, icon=icon, color="primary" if kind == "main" else None)
            .classes(f"button-{kind}")
            .props("no-caps unelevated dense")
        )
        button.props["aria-label"] = f"{name or label}{f'. {refused}' if refused else ''}"
        if refused:
            button.disable()
            ui.tooltip(refused)
    return button
