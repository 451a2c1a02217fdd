"""Orders that were decided lately: who decided, what the system did with it, and what can still be undone."""

from collections.abc import Awaitable, Callable, Sequence

from nicegui import ui

from graph.views.orders import ApprovalView
from graph.views.runs import Trigger, TriggerKind
from web.pages.room import Seat, signing_refused
from web.pages.widgets.outcomes import is_withdrawn, may_be_proposed_anew, may_be_taken_back, outcome, undoing
from web.pages.widgets.parts import action, chip, dialog_title, heading, quoted
from web.pages.widgets.wording import money, when

SHOWN = 8


class DecidedList:
    """Below the orders that wait; from the database, so a reload keeps it."""

    def __init__(self, seat: Seat, changed: Callable[[], Awaitable[None]]) -> None:
        self._seat = seat
        self._changed = changed
        self._shown: object = None
        self._dialogs = ui.element("div")  # outside of what is redrawn, so that a refresh closes no dialog
        self._box = ui.column().classes("fill decided").props('role=region aria-label="Decided lately"')

    def update(self, decided: Sequence[ApprovalView], *, halted: bool) -> None:
        """Show the latest decisions; redrawn only when one of them changed."""
        latest = tuple(approval for approval in decided if approval.status != "void")[:SHOWN]
        if self._shown == (latest, halted):
            return
        self._shown = (latest, halted)
        self._box.set_visibility(bool(latest))
        self._box.clear()
        with self._box:
            heading("Decided lately")
            for approval in latest:
                self._entry(approval, halted)
            ui.label("All of it, and what newer plans replaced, is under Decisions.").classes("fine")

    def _entry(self, approval: ApprovalView, halted: bool) -> None:
        label = f"Decided order to {quoted(approval.supplier)}"
        with ui.element("section").classes("card card-slim").props(f'aria-label="{label}"'):
            with ui.row().classes("card-head"):
                chip(_standing(approval))
                ui.label(approval.supplier).classes("strong")
                ui.label(money(approval.value, approval.currency))
                ui.space()
                ui.label(f"{approval.decided_by or 'the system'} · {when(approval.decided_at)}").classes("fine")
            ui.label(outcome(approval, halted=halted))
            with ui.row().classes("undo-row"):
                ui.label(undoing(approval)).classes("fine")
                if may_be_proposed_anew(approval):
                    self._again(approval)
                elif may_be_taken_back(approval):
                    self._take_back(approval)

    def _again(self, approval: ApprovalView) -> None:
        rejected = approval.status == "rejected"
        action(
            "Propose it again" if rejected else "Replan its items",
            lambda: self._propose(approval) if rejected else self._replan(approval),
            refused=signing_refused(self._seat, approval) if rejected else self._seat.refused("plan"),
            name=f"{'Propose again' if rejected else 'Replan the items of'} the order to {approval.supplier}",
        )

    def _take_back(self, approval: ApprovalView) -> None:
        action(
            "Take back",
            lambda: self._confirm(approval),
            refused=signing_refused(self._seat, approval),
            kind="danger",
            name=f"Take back the order to {approval.supplier}",
        )

    def _confirm(self, approval: ApprovalView) -> None:
        with self._dialogs, ui.dialog(value=True) as dialog, ui.card().classes("dialog"):
            dialog_title(f"Take back the order to {approval.supplier}?")
            placed = (
                f"{approval.erp_reference} is cancelled in the ERP." if approval.erp_reference else "It is dropped."
            )
            ui.label(placed)
            reason = ui.textarea("Reason").props("outlined autofocus autogrow").classes("fill")

            async def withdraw() -> None:
                dialog.close()
                with self._dialogs:
                    await self._withdraw(approval, str(reason.value or "").strip())

            with ui.row().classes("dialog-actions"):
                action("Keep it", dialog.close)
                action("Take back", withdraw, kind="danger")
        dialog.on("hide", dialog.delete)

    async def _withdraw(self, approval: ApprovalView, reason: str) -> None:
        session, name = self._seat.room.session, self._seat.person.name
        if await self._seat.act("decide", session.withdraw, approval.approval_id, name, reason) is not None:
            ui.notify(f"The order to {approval.supplier} is taken back.", type="positive")
        await self._changed()

    async def _propose(self, approval: ApprovalView) -> None:
        """Take the rejection back, without which a replan would leave the lines out, and plan the items anew."""
        session, name = self._seat.room.session, self._seat.person.name
        with self._dialogs:
            taken_back = await self._seat.act("decide", session.reconsider, approval.approval_id, name)
        if taken_back is not None:
            await self._replan(approval)

    async def _replan(self, approval: ApprovalView) -> None:
        items = tuple(dict.fromkeys(line.item_id for line in approval.lines))
        reason = f"Again after {approval.approval_id} was {approval.status}"
        trigger = Trigger(kind=TriggerKind.ANALYST, actor=self._seat.person.name, reason=reason, item_ids=items)
        with self._dialogs:
            feed = await self._seat.act("plan", self._seat.room.live.start, trigger)
            if feed is not None:
                await self._seat.act("plan", lambda: list(feed.follow()))
            await self._changed()


def _standing(approval: ApprovalView) -> str:
    if is_withdrawn(approval):
        return "taken back"
    return "failed" if approval.erp_status == "failed" else approval.status
