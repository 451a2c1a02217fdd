"""Choosing the estimate version that the next run plans with, after a confirmation and with an undo."""

from collections.abc import Awaitable, Callable, Sequence

from nicegui import ui

from graph.views.forecasts import EstimateView
from web.pages.room import Seat
from web.pages.widgets.parts import action, dialog_title
from web.pages.widgets.wording import when

SHOWN_VERSIONS = 10
Changed = Callable[[], Awaitable[None]]


class EstimateChoice:
    """One line that says which version is active, with a button to choose another."""

    def __init__(self, seat: Seat, changed: Changed) -> None:
        self._seat = seat
        self._changed = changed
        self._versions: Sequence[EstimateView] = ()
        self._before = ""
        with ui.row().classes("tool-row"):
            self._said = ui.label("").classes("fine").props("role=status")
            action("Choose a version", self._ask, refused=seat.refused("estimates"), icon="history")
            action("Measure accuracy", self._measure, refused=seat.refused("estimates"), icon="straighten")
            self._undo = action("Undo", self._take_back, refused=seat.refused("estimates"), icon="undo")
        self._dialogs = ui.element("div")
        self._undo.set_visibility(False)

    async def update(self) -> None:
        """Read the versions anew."""
        self._versions = await self._seat.act("read", self._seat.room.session.estimates, SHOWN_VERSIONS) or ()
        active = self._active()
        self._said.set_text(active_words(active) if active else "No estimate version yet; a run makes one.")

    def _active(self) -> EstimateView | None:
        return next((one for one in self._versions if one.active), None)

    async def _ask(self) -> None:
        await self.update()
        active = self._active()
        if active is None:
            ui.notify("There is no estimate version yet.", type="info")
            return
        name = 'aria-label="Choose the estimates to plan with"'
        with self._dialogs, ui.dialog(value=True).props(name) as dialog, ui.card().classes("dialog"):
            dialog_title("Which estimates should the next run plan with?")
            ui.label(
                "Forecasts and lead times of the version are used as they are stored. On a newer dataset its "
                "parameters make new ones. Runs that are through stay as they are."
            ).classes("fine")
            wanted = ui.radio({one.version: version_words(one) for one in self._versions}, value=active.version)
            wanted.classes("fill")
            reason = ui.textarea("Reason").props("outlined autogrow").classes("fill")

            async def choose() -> None:
                dialog.close()
                await self._choose(str(wanted.value), str(reason.value or "").strip(), active.version)

            with ui.row().classes("dialog-actions"):
                action("Cancel", dialog.close)
                action("Plan with this version", choose, kind="main")
        dialog.on("hide", dialog.delete)

    async def _choose(self, version: str, reason: str, before: str) -> None:
        session, name = self._seat.room.session, self._seat.person.name
        with self._dialogs:
            made = await self._seat.act("estimates", session.activate_estimates, version, name, reason)
            if made is not None:
                self._before = before if before != version else ""
                self._undo.set_visibility(bool(self._before))
                ui.notify(f"The next run plans with {made.version}.", type="positive")
            await self.update()
            await self._changed()

    async def _take_back(self) -> None:
        before, self._before = self._before, ""
        if before:
            await self._choose(before, "undone", before)

    async def _measure(self) -> None:
        with self._dialogs:
            ui.notify("Forecasting again from earlier clocks.", type="info")
            found = await self._seat.act("estimates", self._seat.room.session.backtest)
            if found:
                ui.notify("The accuracy of every item is stored.", type="positive")
            await self._changed()


def active_words(one: EstimateView) -> str:
    """Which version is active, and why."""
    if not one.held:
        return f"The next run plans with {one.version}."
    return f"The next run plans with {one.version}, chosen by {one.chosen_by}{f': {one.reason}' if one.reason else ''}."


def version_words(one: EstimateView) -> str:
    """A version in one line: its dataset, when it was made, and what differs from the one before."""
    differs = f" · {'; '.join(one.differences)}" if one.differences else ""
    stored = "" if one.kept else " · figures only"
    active = " · active" if one.active else ""
    return f"{one.version} · {one.dataset_version} · {when(one.created_at)}{active}{stored}{differs}"
