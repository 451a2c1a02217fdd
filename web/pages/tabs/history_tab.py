"""Decisions of all time: who decided what, from which quantity to which, why, and what became of it."""

from collections.abc import Sequence

from nicegui import ui

from graph.views.decisions import DecidedLineView, DecisionKind, DecisionView
from web.pages.room import Seat
from web.pages.widgets.line_drawer import named
from web.pages.widgets.outcomes import counted
from web.pages.widgets.parts import action, chip, empty, grid_table, heading, quoted
from web.pages.widgets.wording import money, quantity, when, words

PAGE = 25
DID = {
    DecisionKind.APPROVED: "approved",
    DecisionKind.EDITED: "edited",
    DecisionKind.REJECTED: "rejected",
    DecisionKind.WITHDRAWN: "taken back",
    DecisionKind.RECONSIDERED: "reconsidered",
    DecisionKind.REPLACED: "replaced",
    DecisionKind.VOID: "void",
    DecisionKind.AUTOMATIC: "left by itself",
}
NUMERIC = (1, 2, 3)
HEADERS = ("Item", "Quantity", "Price", "Value")


class HistoryTab:
    """Pages grow downwards; what was typed into the filters stays when decisions come in."""

    def __init__(self, seat: Seat) -> None:
        self._seat = seat
        self._shown: list[DecisionView] = []
        self._asked = ("", "", "")
        heading("Decisions")
        ui.label("All that was decided of orders, latest first. Nothing is ever removed from it.").classes("fine")
        with ui.row().classes("tool-row"):
            self._item = self._field("Item")
            self._supplier = self._field("Supplier")
            self._by = self._field("Decided by")
            action("Find", self.update, icon="search", name="Find decisions")
        self._list = ui.column().classes("fill decided").props('role=region aria-label="Decisions"')
        self._more = ui.row()
        with self._more:
            action("Earlier decisions", self._next)

    def _field(self, label: str) -> ui.input:
        return ui.input(label).props("dense outlined clearable").classes("point").on("keydown.enter", self.update)

    async def update(self) -> None:
        """Show the latest page of what the filters ask for."""
        asked = (self._typed(self._item), self._typed(self._supplier), self._typed(self._by))
        found = await self._read(asked, "")
        same = asked == self._asked and self._shown and list(found or ()) == self._shown[:PAGE]
        if found is None or same:
            return
        self._asked, self._shown = asked, []
        self._list.clear()
        if not found:
            with self._list:
                empty("No decision of this kind is stored.", "Approvals, edits and rejections appear here for good.")
        self._add(found)

    async def _next(self) -> None:
        found = await self._read(self._asked, self._shown[-1].cursor if self._shown else "")
        if found is not None:
            self._add(found)

    def _typed(self, field: ui.input) -> str:
        return str(field.value or "").strip()

    async def _read(self, asked: tuple[str, str, str], before: str) -> Sequence[DecisionView] | None:
        item, supplier, by = asked
        return await self._seat.act("read", self._seat.room.session.decisions, item, supplier, by, "", PAGE, before)

    def _add(self, found: Sequence[DecisionView]) -> None:
        self._shown += found
        self._more.set_visibility(len(found) == PAGE)
        with self._list:
            for decision in found:
                self._entry(decision)

    def _entry(self, decision: DecisionView) -> None:
        what = decision.supplier if decision.orders == 1 else counted(decision.orders, "order")
        with ui.element("section").classes("card card-slim").props(f'aria-label="Decision on {quoted(what)}"'):
            with ui.row().classes("card-head"):
                chip(DID[decision.kind])
                ui.label(what).classes("strong")
                ui.label(worth_in_words(decision))
                ui.space()
                ui.label(f"{decision.actor} · {when(decision.at)}").classes("fine")
            if decision.orders > 1:
                self._group(decision)
            else:
                grid_table(HEADERS, line_rows(decision), numeric=NUMERIC, name=f"Lines of {quoted(what)}")
            for sentence in (f"Reason: {decision.reason}" if decision.reason else "", decision.became):
                if sentence:
                    ui.label(sentence)

    def _group(self, decision: DecisionView) -> None:
        """Orders that one event decided alike, read when somebody opens them."""
        with ui.expansion("Its orders").classes("fill").props("dense") as box:
            inside = ui.column().classes("fill")

        async def fill() -> None:
            if not box.value or list(inside):
                return
            with inside:
                asked = ("", "", "", decision.group, decision.orders)
                found = await self._seat.act("read", self._seat.room.session.decisions, *asked)
            with inside:
                for one in found or ():
                    ui.label(f"{one.supplier}, {worth_in_words(one)}").classes("strong")
                    grid_table(HEADERS, line_rows(one), numeric=NUMERIC, name=f"Lines of {quoted(one.supplier)}")

        box.on_value_change(fill)


def worth_in_words(decision: DecisionView) -> str:
    """What it was worth, and what it is worth since."""
    before, after = decision.value_before, decision.value_after
    if after in (0.0, before):
        return money(before, decision.currency)
    return f"{money(before)} → {money(after, decision.currency)}"


def line_rows(decision: DecisionView) -> list[tuple[str, ...]]:
    """Each line with quantity, price and value before and after."""
    return [_line_row(line, decision.currency) for line in decision.lines]


def _line_row(line: DecidedLineView, currency: str) -> tuple[str, ...]:
    name = named(line.item_id, line.item)
    name = name if line.intent == "place" else f"{name} ({words(line.intent).lower()})"
    before = quantity(line.before_quantity, line.uom)
    if line.after_quantity == 0:
        return name, f"{before} → nothing", money(line.before_price), money(line.before_value, currency)
    if not line.changed:
        return name, before, money(line.before_price), money(line.before_value, currency)
    price = money(line.after_price)
    return (
        name,
        f"{quantity(line.before_quantity)} → {quantity(line.after_quantity, line.uom)}",
        price if line.after_price == line.before_price else f"{money(line.before_price)} → {price}",
        f"{money(line.before_value)} → {money(line.after_value, currency)}",
    )
