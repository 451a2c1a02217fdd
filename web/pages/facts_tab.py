"""Where the figures come from: dataset and policy versions, quality, KPIs, and the ERP."""

from collections.abc import Awaitable, Callable, Mapping

from nicegui import ui

from graph.views import PlanView
from web.pages.parts import action, empty, figures, heading
from web.pages.plan_tab import show_verdict
from web.pages.room import Seat
from web.pages.wording import plain, quantity, words


class FactsTab:
    """Redrawn parts above, the rollback field below stays."""

    def __init__(self, seat: Seat, changed: Callable[[], Awaitable[None]]) -> None:
        self._seat = seat
        self._changed = changed
        self._facts = ui.column().classes("fill")
        heading("Read back and roll back", 3)
        with ui.row().classes("tool-row"):
            action("Read back from the ERP", self._observe, refused=seat.refused("observe"), icon="sync")
            self._point = ui.input("Dataset or policy version").props("dense outlined").classes("point")
            action("Roll back", self._rollback, refused=seat.refused("rollback"), icon="undo")

    def update(self, status: Mapping[str, object], plan: PlanView | None) -> None:
        """Show status and the latest run's quality and KPIs."""
        self._facts.clear()
        with self._facts:
            heading("Status", 3)
            figures([(words(name), plain(value)) for name, value in status.items()])
            if plan is None:
                empty("No run yet.")
                return
            heading("Versions of the latest run", 3)
            figures([(words(name), version) for name, version in plan.run.versions.items()])
            if plan.kpis:
                heading("Key figures", 3)
                figures([(words(name), quantity(round(value, 4))) for name, value in plan.kpis.items()])
            if plan.quality:
                heading("Data quality", 3)
                for verdict in plan.quality:
                    show_verdict(verdict)

    async def _observe(self) -> None:
        result = await self._seat.act("observe", self._seat.room.session.observe)
        if result is not None:
            ui.notify(plain(dict(result)), type="positive", multi_line=True)
        await self._changed()

    async def _rollback(self) -> None:
        point = str(self._point.value or "").strip()
        if not point:
            ui.notify("Name the version to go back to.", type="warning")
            return
        result = await self._seat.act("rollback", self._seat.room.session.rollback, point, self._seat.person.name)
        if result is not None:
            self._point.value = ""
            ui.notify(plain(dict(result)), type="positive", multi_line=True)
        await self._changed()
