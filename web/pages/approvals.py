"""What waits for a person: approve, edit the quantities, or reject with a reason; and what was decided lately."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import date

from nicegui import ui

from graph.views import ApprovalView, LineView, OutlookView
from web.live import Glance
from web.pages.decided import DecidedList
from web.pages.edit_dialog import EditDialog
from web.pages.line_drawer import LineDrawer
from web.pages.outcomes import EXTRA_COST, cancels, cost_of_nothing, is_placing, outcome, waiting_summary
from web.pages.parts import action, chip, dialog_title, empty, focusable_heading, quoted
from web.pages.room import Seat, signing_refused
from web.pages.wording import money, quantity, short, when, words

Changed = Callable[[], Awaitable[None]]
Outlooks = Mapping[tuple[str, str], OutlookView]


class ApprovalCards:
    """Keeps one card per approval, so that a refresh never takes away what somebody is typing."""

    def __init__(self, seat: Seat, changed: Changed, drawer: LineDrawer) -> None:
        self._seat = seat
        self._changed = changed
        self._drawer = drawer
        self._cards: dict[tuple[str, str], tuple[ui.element, ApprovalView]] = {}
        self._mine: set[str] = set()
        self._heading = focusable_heading("Waiting for a decision", 2)
        self._summary = ui.column().classes("fill summary")
        self._empty = ui.column().classes("fill")
        self._list = ui.element("div").classes("cards")
        self._dialogs = ui.element("div")  # outside of the cards, so that no refresh takes away what speaks to somebody
        with self._empty:
            empty("Nothing waits for you.", "Orders that policy does not let pass by itself appear here.")
        self._decided = DecidedList(seat, changed)

    def update(self, glance: Glance) -> None:
        """Add and remove cards by approval and content; tell what was decided elsewhere."""
        wanted = {(one.approval_id, one.content_hash): one for one in glance.pending}
        gone = [key for key in self._cards if key not in wanted]
        for key in gone:
            card, approval = self._cards.pop(key)
            card.delete()
            self._tell(approval, glance.decided)
        for key, approval in wanted.items():
            if key not in self._cards:
                with self._list:
                    self._cards[key] = (self._card(approval, glance.outlooks), approval)
        self._empty.set_visibility(not wanted)
        self._summary.clear()
        with self._summary:
            for sentence in waiting_summary(glance.pending, lambda one: not signing_refused(self._seat, one)):
                ui.label(sentence)
        self._decided.update(glance.decided, halted=bool(glance.status.get("halted")))

    def _tell(self, approval: ApprovalView, decided: Sequence[ApprovalView]) -> None:
        if approval.approval_id in self._mine:
            return
        now = next((one for one in decided if one.approval_id == approval.approval_id), None)
        if now is not None and now.decided_by:
            ui.notify(f"The order to {now.supplier} was {now.status} by {now.decided_by}.", type="info")

    def _card(self, approval: ApprovalView, outlooks: Outlooks) -> ui.element:
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
            self._lines(approval, outlooks)
            _why(approval)
            self._buttons(approval)
            ui.label(_origin(approval)).classes("fine")
        return card

    def _lines(self, approval: ApprovalView, outlooks: Outlooks) -> None:
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
                for line in approval.lines:
                    self._row(line, approval.run_id, outlooks.get((approval.run_id, line.item_id)))

    def _row(self, line: LineView, run_id: str, outlook: OutlookView | None) -> None:
        with ui.element("tr"):
            for place, cell in enumerate(_cells(line, outlook)):
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
            decided = await self._seat.act("decide", decide)
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


def _cells(line: LineView, outlook: OutlookView | None) -> tuple[str, ...]:
    extra = line.figures.get(EXTRA_COST)
    return (
        f"{line.item_id} {line.item}" if line.item != line.item_id else line.item_id,
        quantity(line.quantity, line.uom),
        money(line.unit_price),
        money(line.value, line.currency),
        line.expected_arrival,
        f"{outlook.days_of_cover:,.0f} days" if outlook else "not known",
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
