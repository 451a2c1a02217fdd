"""What waits for a person: approve, edit the quantities, or reject with a reason; and what was decided lately."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import date

from nicegui import ui

from graph.views.orders import ApprovalView, LineView, WaitingView
from web.live import ORDERS_SHOWN, Glance
from web.pages.room import Seat, signing_refused
from web.pages.tabs.decided import DecidedList
from web.pages.tabs.edit_dialog import EditDialog
from web.pages.widgets.line_drawer import LineDrawer
from web.pages.widgets.outcomes import EXTRA_COST, cancels, cost_of_nothing, is_placing, outcome, waiting_summary
from web.pages.widgets.parts import action, chip, cut, dialog_title, empty, focusable_heading, quoted, showing
from web.pages.widgets.wording import money, quantity, short, when, words

Changed = Callable[[], Awaitable[None]]
LINES_SHOWN = 5
MORE_ORDERS = 20
STORED_SECONDS = 0.3
"""After this a decision is stored, and shown; its run takes it in a moment later."""


class ApprovalCards:
    """Keeps one card per approval, so that a refresh never takes away what somebody is typing.

    The first orders are there at once; more of them, and those of a search, are read when asked for.
    """

    def __init__(self, seat: Seat, changed: Changed, drawer: LineDrawer) -> None:
        self._seat = seat
        self._changed = changed
        self._drawer = drawer
        self._cards: dict[tuple[str, str], tuple[ui.element, ApprovalView]] = {}
        self._mine: set[str] = set()
        self._wanted = ORDERS_SHOWN
        self._glance: Glance | None = None
        self._heading = focusable_heading("Waiting for a decision", 2)
        self._summary = ui.column().classes("fill summary")
        self._search = ui.input(placeholder="Filter orders", on_change=self._searched).props(
            'dense outlined clearable aria-label="Filter orders" debounce=250'
        )
        self._empty = ui.column().classes("fill")
        self._list = ui.element("div").classes("cards")
        self._rest = ui.column().classes("fill")
        self._dialogs = ui.element("div")  # outside of the cards, so that no refresh takes away what speaks to somebody
        self._decided = DecidedList(seat, changed)

    @property
    def drawn(self) -> bool:
        """Whether the orders were shown before."""
        return self._glance is not None

    async def update(self, glance: Glance) -> None:
        """Show what waits now, and tell what was decided elsewhere."""
        self._glance = glance
        await self._draw(glance)
        self._decided.update(glance.decided, halted=bool(glance.status.get("halted")))

    async def _draw(self, glance: Glance) -> None:
        """Add and remove cards by approval and content."""
        found = await self._found(glance.waiting)
        wanted = {(one.approval_id, one.content_hash): one for one in found.orders}
        for key in [key for key in self._cards if key not in wanted]:
            card, approval = self._cards.pop(key)
            card.delete()
            self._tell(approval, glance.decided)
        for place, (key, approval) in enumerate(wanted.items()):
            if key not in self._cards:
                with self._list:
                    self._cards[key] = (self._card(approval), approval)
            card = self._cards[key][0]
            if list(self._list)[place] is not card:
                card.move(self._list, place)
        self._say(found)

    async def _found(self, first: WaitingView) -> WaitingView:
        """What is shown: the first orders as everybody sees them, or as many as were asked for of a search."""
        search = str(self._search.value or "").strip()
        if not search and self._wanted <= ORDERS_SHOWN:
            return first
        with self._list:
            session = self._seat.room.session
            return await self._seat.act("read", session.waiting, self._wanted, 0, search) or first

    def _say(self, found: WaitingView) -> None:
        """How much waits, and how much of it is shown."""
        self._summary.clear()
        with self._summary:
            for sentence in waiting_summary(found, lambda one: not signing_refused(self._seat, one)):
                ui.label(sentence)
        self._search.set_visibility(found.total > ORDERS_SHOWN or bool(self._search.value))
        self._empty.clear()
        self._rest.clear()
        with self._empty:
            if not found.total:
                empty("Nothing waits for you.", "Orders that policy does not let pass by itself appear here.")
            elif not found.matching:
                empty("No order that waits has this in it.", "Items and suppliers are found by a part of id or name.")
        with self._rest:
            if found.matching > len(found.orders):
                showing(len(found.orders), found.matching, "orders", self._more)

    async def _more(self) -> None:
        self._wanted += MORE_ORDERS
        await self._again()

    async def _searched(self) -> None:
        self._wanted = ORDERS_SHOWN
        await self._again()

    async def _again(self) -> None:
        if self._glance is not None:
            await self._draw(self._glance)

    def _tell(self, approval: ApprovalView, decided: Sequence[ApprovalView]) -> None:
        if approval.approval_id in self._mine:
            return
        now = next((one for one in decided if one.approval_id == approval.approval_id), None)
        if now is not None and now.decided_by:
            ui.notify(f"The order to {now.supplier} was {now.status} by {now.decided_by}.", type="info")

    def _card(self, approval: ApprovalView) -> ui.element:
        card = ui.element("section").classes("card").props(f'aria-label="Order to {quoted(approval.supplier)}"')
        with card:
            with ui.row().classes("card-head"):
                with ui.element("h3").classes("card-title"):
                    ui.label(approval.supplier)
                for intent in dict.fromkeys(line.intent for line in approval.lines if line.intent != "place"):
                    chip(words(intent), "busy")
                chip(f"needs {approval.tier}", "wait")
                ui.space()
                value = money(approval.value, approval.currency)
                ui.label(f"{value} not spent" if cancels(approval) else value).classes("card-value")
            self._lines(approval)
            _why(approval)
            self._buttons(approval)
            ui.label(_origin(approval)).classes("fine")
        return card

    def _lines(self, approval: ApprovalView) -> None:
        def draw(lines: Sequence[LineView]) -> None:
            self._table(approval, lines)

        cut(approval.lines, draw, of="lines", first=LINES_SHOWN)

    def _table(self, approval: ApprovalView, lines: Sequence[LineView]) -> None:
        name = f"Lines of the order to {quoted(approval.supplier)}"
        with (
            ui.element("div").classes("table-scroll").props(f'tabindex=0 role=region aria-label="{name}"'),
            ui.element("table").classes("plain-table stacks"),
        ):
            with ui.element("thead"), ui.element("tr"):
                for place, header in enumerate((*HEADERS, "")):
                    with ui.element("th").props("scope=col").classes("number" if place in NUMERIC else ""):
                        ui.label(header or "Explanation").classes("" if header else "unseen")
            with ui.element("tbody"):
                for line in lines:
                    self._row(line, approval.run_id)

    def _row(self, line: LineView, run_id: str) -> None:
        with ui.element("tr"):
            for place, cell in enumerate(_cells(line)):
                with ui.element("td").classes("number" if place in NUMERIC else "") as box:
                    box.props["data-label"] = HEADERS[place]
                    ui.label(cell)
            with ui.element("td"):
                why = ui.button("Why?", on_click=lambda: self._drawer.show(line, run_id), color=None)
                why.props("flat dense no-caps").classes("why")
                why.props["aria-label"] = f"Why {line.item_id}"

    def _buttons(self, approval: ApprovalView) -> None:
        refused = signing_refused(self._seat, approval)
        about = f"the order to {approval.supplier}"
        with ui.row().classes("card-actions"):
            action(
                "Approve",
                lambda: self._decide(approval, "approve"),
                refused=refused,
                icon="check",
                kind="main",
                name=f"Approve {about}",
            )
            if is_placing(approval):
                action(
                    "Edit quantity",
                    lambda: self._edit(approval),
                    refused=refused,
                    icon="edit",
                    name=f"Edit quantity of {about}",
                )
            action(
                "Reject",
                lambda: self._reject(approval),
                refused=refused,
                icon="close",
                kind="danger",
                name=f"Reject {about}",
            )
            if refused:
                ui.label(refused).classes("fine")

    def _edit(self, approval: ApprovalView) -> None:
        with self._dialogs:
            EditDialog(
                approval,
                lambda reason, edits: self._decide(approval, "edit", reason, edits),
                lambda edits: self._seat.act("read", self._seat.room.session.preview_edit, approval.approval_id, edits),
            )

    async def _decide(
        self,
        approval: ApprovalView,
        decision: str,
        reason: str = "",
        edits: dict[str, float] | None = None,
        until: date | None = None,
    ) -> None:
        session, name = self._seat.room.session, self._seat.person.name
        self._mine.add(approval.approval_id)

        def decide() -> ApprovalView:
            return session.decide(
                approval.approval_id,
                decision,
                name,
                reason,
                content_hash=approval.content_hash,
                edits=edits,
                until=until,
            )

        with self._dialogs:
            deciding = asyncio.ensure_future(self._seat.act("decide", decide))
            await asyncio.wait({deciding}, timeout=STORED_SECONDS)
            if not deciding.done():
                await self._changed()
            decided = await deciding
            if decided is None:
                self._mine.discard(approval.approval_id)
            else:
                said = f"Order to {decided.supplier} {decided.status}. {outcome(decided)}"
                ui.notify(said, type="positive", timeout=6000, multi_line=True)
            await self._changed()
        self._heading.run_method("focus")

    def _reject(self, approval: ApprovalView) -> None:
        with self._dialogs, ui.dialog(value=True) as dialog, ui.card().classes("dialog"):
            dialog_title(f"Reject the order to {approval.supplier}?")
            ui.label(REJECTION).classes("fine")
            reason = ui.textarea("Reason").props("outlined autofocus autogrow").classes("fill")
            until = ui.input("Until (optional, YYYY-MM-DD)").props("outlined").classes("fill")

            async def reject() -> None:
                said = str(reason.value or "").strip()
                if not said:
                    reason.props('error error-message="Say why, for the next run and for the journal."')
                    return
                try:
                    last = date.fromisoformat(text) if (text := str(until.value or "").strip()) else None
                except ValueError:
                    until.props('error error-message="Write a day such as 2026-12-31, or leave it empty."')
                    return
                dialog.close()
                await self._decide(approval, "reject", said, until=last)

            with ui.row().classes("dialog-actions"):
                action("Cancel", dialog.close)
                action("Reject order", reject, kind="danger")
        dialog.on("hide", dialog.delete)


REJECTION = (
    "Nothing is sent. The lines stay out of later plans, until the day below or until quantity, price or risk changed"
    " materially or a new alert comes; then they are proposed again, with this reason beside them."
)
HEADERS = ("Item", "Quantity", "Price", "Value", "Arrives", "Stock covers", "If not ordered")
NUMERIC = (1, 2, 3, 5, 6)
"""Columns of an order's lines that stand right."""


def _cells(line: LineView) -> tuple[str, ...]:
    extra = line.figures.get(EXTRA_COST)
    return (
        f"{line.item_id} {line.item}" if line.item != line.item_id else line.item_id,
        quantity(line.quantity, line.uom),
        money(line.unit_price),
        money(line.value, line.currency),
        line.expected_arrival,
        "not known" if line.days_of_cover is None else f"{line.days_of_cover:,.0f} days",
        "" if extra is None else f"+{money(extra, line.currency)}" if extra > 0 else "no extra cost",
    )


def _why(approval: ApprovalView) -> None:
    with ui.element("ul").classes("reasons"):
        for reason in approval.reasons:
            with ui.element("li"):
                ui.label(reason)
        extra = cost_of_nothing([approval])
        if extra is not None and extra > 0:
            with ui.element("li"):
                ui.label(
                    f"If nothing is ordered of {'this item' if len(approval.lines) == 1 else 'these items'}: about"
                    f" {money(extra, approval.currency)} more expected cost over the horizon, shortages included."
                )


def _origin(approval: ApprovalView) -> str:
    return (
        f"Proposed by {', '.join(approval.proposed_by)} · {when(approval.opened_at)} · run {approval.run_id}"
        f" · content {short(approval.content_hash)}"
    )
