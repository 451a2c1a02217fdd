"""Cards of the orders that wait for a person: approve, edit the quantities, or reject with a reason."""

from collections.abc import Awaitable, Callable, Sequence

from nicegui import ui

from graph.views import ApprovalView, LineView
from policies.approval import may_decide
from policies.gates import Effect, Tier
from web.pages.parts import action, chip, empty, grid_table
from web.pages.room import Seat
from web.pages.wording import money, quantity, short, when


class ApprovalCards:
    """Keeps one card per approval, so that a refresh never takes away what somebody is typing."""

    def __init__(self, seat: Seat, changed: Callable[[], Awaitable[None]]) -> None:
        self._seat = seat
        self._changed = changed
        self._cards: dict[tuple[str, str], ui.element] = {}
        self._empty = ui.column().classes("fill")
        self._list = ui.element("div").classes("cards")
        with self._empty:
            empty("Nothing waits for you.", "Orders that policy does not let pass by itself appear here.")

    def update(self, pending: Sequence[ApprovalView]) -> None:
        """Add and remove cards by approval and content."""
        wanted = {(one.approval_id, one.content_hash): one for one in pending}
        for key in [key for key in self._cards if key not in wanted]:
            self._cards.pop(key).delete()
        for key, approval in wanted.items():
            if key not in self._cards:
                with self._list:
                    self._cards[key] = self._card(approval)
        self._empty.set_visibility(not wanted)

    def _card(self, approval: ApprovalView) -> ui.element:
        card = ui.element("section").classes("card").props(f'aria-label="Order to {_quoted(approval.supplier)}"')
        with card:
            with ui.row().classes("card-head"):
                with ui.element("h3").classes("card-title"):
                    ui.label(approval.supplier)
                chip(f"needs {approval.tier}", "wait")
                ui.space()
                ui.label(money(approval.value, approval.currency)).classes("card-value")
            ui.label(
                f"Proposed by {', '.join(approval.proposed_by)} · {when(approval.opened_at)} · run {approval.run_id}"
                f" · content {short(approval.content_hash)}"
            ).classes("fine")
            _lines(approval.lines, approval.supplier)
            with ui.element("ul").classes("reasons"):
                for reason in approval.reasons:
                    with ui.element("li"):
                        ui.label(reason)
            self._buttons(approval)
        return card

    def _buttons(self, approval: ApprovalView) -> None:
        refused = self._refused(approval)
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

    def _refused(self, approval: ApprovalView) -> str:
        person = self._seat.person
        if approval.tier not in tuple(Tier):
            return self._seat.refused("decide")
        verdict = may_decide(person.name, person.role, approval.proposed_by, Tier(approval.tier), "")
        return verdict.reason if verdict.effect is Effect.DENY else ""

    async def _decide(
        self, approval: ApprovalView, decision: str, reason: str = "", edits: dict[str, float] | None = None
    ) -> None:
        session, name = self._seat.room.session, self._seat.person.name

        def decide() -> ApprovalView:
            return session.decide(
                approval.approval_id, decision, name, reason, content_hash=approval.content_hash, edits=edits
            )

        decided = await self._seat.act("decide", decide)
        if decided is not None:
            ui.notify(f"Order to {decided.supplier}: {decided.status}.", type="positive")
        await self._changed()

    def _reject(self, approval: ApprovalView) -> None:
        with ui.dialog(value=True) as dialog, ui.card().classes("dialog"):
            _dialog_title(f"Reject the order to {approval.supplier}?")
            reason = ui.textarea("Reason").props("outlined autofocus autogrow").classes("fill")

            async def reject() -> None:
                said = str(reason.value or "").strip()
                if not said:
                    reason.props('error error-message="Say why, for the next run and for the journal."')
                    return
                dialog.close()
                await self._decide(approval, "reject", said)

            with ui.row().classes("dialog-actions"):
                action("Cancel", dialog.close)
                action("Reject order", reject, kind="danger")
        dialog.on("hide", dialog.delete)

    def _edit(self, approval: ApprovalView) -> None:
        with ui.dialog(value=True) as dialog, ui.card().classes("dialog"):
            _dialog_title(f"Edit the order to {approval.supplier}")
            inputs = {line.line_id: _quantity_input(line) for line in approval.lines}
            ui.label("The edited order passes the gates again before it is sent.").classes("fine")
            reason = ui.textarea("Reason (optional)").props("outlined autogrow").classes("fill")

            async def save() -> None:
                edits = _changed_quantities(approval.lines, {key: box.value for key, box in inputs.items()})
                if edits is None:
                    ui.notify(
                        "Change a quantity to a number of zero or more, or approve the order as it is.", type="warning"
                    )
                    return
                dialog.close()
                await self._decide(approval, "edit", (reason.value or "").strip(), edits)

            with ui.row().classes("dialog-actions"):
                action("Cancel", dialog.close)
                action("Save quantities", save, kind="main")
        dialog.on("hide", dialog.delete)


def _dialog_title(text: str) -> None:
    with ui.element("h2").classes("dialog-title"):
        ui.label(text)


def _quantity_input(line: LineView) -> ui.number:
    label = f"{line.item_id} {line.item} ({line.uom})"
    return ui.number(label, value=line.quantity, min=0).props("outlined dense").classes("fill")


def _changed_quantities(lines: Sequence[LineView], typed: dict[str, float | None]) -> dict[str, float] | None:
    """The quantities that differ, or None when there are none or one is no quantity."""
    if any(value is None or value < 0 for value in typed.values()):
        return None
    before = {line.line_id: line.quantity for line in lines}
    changed = {key: float(value) for key, value in typed.items() if value is not None and value != before[key]}
    return changed or None


def _lines(lines: Sequence[LineView], supplier: str) -> None:
    rows = [
        (
            line.item_id,
            line.item,
            quantity(line.quantity, line.uom),
            money(line.unit_price),
            money(line.value, line.currency),
            line.expected_arrival,
        )
        for line in lines
    ]
    headers = ("Item", "Description", "Quantity", "Price", "Value", "Arrives")
    grid_table(headers, rows, numeric=(2, 3, 4), name=f"Lines of the order to {_quoted(supplier)}")


def _quoted(text: str) -> str:
    """Text that can stand inside a quoted attribute."""
    return "".join(letter for letter in text if letter.isalnum() or letter in " .,-&()")
