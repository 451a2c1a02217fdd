"""Where the figures come from: dataset and policy versions, quality, rejected rows, KPIs, and the ERP."""

from collections.abc import Awaitable, Callable, Mapping, Sequence

from nicegui import ui

from graph.views.installation import DatasetView, RejectView
from graph.views.orders import VerdictView
from graph.views.plans import PlanView
from web.pages.room import Seat
from web.pages.widgets.line_drawer import show_verdict
from web.pages.widgets.parts import action, cut, empty, figures, heading, long_table
from web.pages.widgets.wording import plain, quantity, when, words

SHOWN_REJECTS = 500
SUGGESTED = 100
"""Versions that the field completes; any other may be typed."""


class FactsTab:
    """Redrawn parts above, the rollback field below stays."""

    def __init__(self, seat: Seat, changed: Callable[[], Awaitable[None]]) -> None:
        self._seat = seat
        self._changed = changed
        self._facts = ui.column().classes("fill")
        heading("Read back from the ERP")
        ui.label("Confirmations and receipts become a new dataset version; lead times learn from them.").classes("fine")
        with ui.row().classes("tool-row"):
            self._days = ui.number("Days to move the sandbox clock", value=0, min=0, max=365, precision=0)
            self._days.props("dense outlined").classes("point")
            action(
                "Read back", self._observe, refused=seat.refused("observe"), icon="sync", name="Read back from the ERP"
            )
        heading("Roll back")
        ui.label("Makes an earlier dataset version active again; later versions are kept.").classes("fine")
        with ui.row().classes("tool-row"):
            self._point = ui.input("Dataset version", autocomplete=[]).props("dense outlined").classes("point")
            action("Roll back", self._rollback, refused=seat.refused("rollback"), icon="undo")

    async def update(self, plan: PlanView | None) -> None:
        """Show status, the latest run's quality and KPIs, and the rows that imports turned away."""
        status = await self._seat.act("read", self._seat.room.session.status) or {}
        datasets = await self._seat.act("read", self._seat.room.session.datasets) or ()
        self._point.set_autocomplete([dataset.version for dataset in datasets[:SUGGESTED]])
        rejects = await self._seat.act("read", self._seat.room.session.rejects, SHOWN_REJECTS) or ()
        self._facts.clear()
        with self._facts:
            heading("Status")
            figures([(_named(name), plain(value)) for name, value in status.items()])
            if plan is None:
                empty("No run yet.", "Import a dataset with `jit import FOLDER`, then start a run with Replan.")
            else:
                _run_facts(plan)
            if datasets:
                _datasets(datasets)
            if rejects:
                _rejects(rejects)

    async def _observe(self) -> None:
        days = int(self._days.value or 0)
        result = await self._seat.act("observe", self._seat.room.session.observe, days)
        if result is not None:
            self._days.value = 0
            ui.notify(plain(_told(result)), type="positive", multi_line=True, timeout=9000, close_button="OK")
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


def _run_facts(plan: PlanView) -> None:
    heading("Versions of the latest run")
    figures([(words(name), version) for name, version in plan.run.versions.items()])
    if plan.kpis:
        heading("Key figures of the current plan" if plan.whole else "Key figures")
        figures([(words(name), quantity(round(value, 4))) for name, value in plan.kpis.items()])
    if plan.quality:
        heading("Data quality")
        _verdicts(plan.quality)
    if drift := [verdict for verdict in plan.verdicts if verdict.gate == "drift"]:
        heading("Drift")
        _verdicts(drift)


def _verdicts(found: Sequence[VerdictView]) -> None:
    def draw(shown: Sequence[VerdictView]) -> None:
        for verdict in shown:
            show_verdict(verdict)

    cut(found, draw, of="verdicts")


def _datasets(datasets: Sequence[DatasetView]) -> None:
    heading("Dataset versions")
    rows = [
        (one.version, one.as_of.isoformat(), when(one.created_at), "active" if one.active else "") for one in datasets
    ]
    long_table(("Version", "As of", "Made", ""), rows, name="Dataset versions", of="versions")


def _rejects(rejects: Sequence[RejectView]) -> None:
    heading("Rows that imports turned away")
    rows = [(one.file, str(one.row), one.column, one.reason, one.expected, one.remedy) for one in rejects]
    headers = ("File", "Row", "Column", "Reason", "Expected", "Remedy")
    long_table(headers, rows, numeric=(1,), name="Rows that imports turned away", of="rows")
    if len(rows) == SHOWN_REJECTS:
        ui.label(f"The latest {SHOWN_REJECTS:,} at most; `jit rejects IMPORT` lists those of one import.").classes(
            "fine"
        )


def _named(name: str) -> str:
    return "ERP" if name == "erp" else words(name)


def _told(result: Mapping[str, object]) -> dict[str, object]:
    """The result without its long lists, which the journal and the Data tab keep."""
    return {name: value for name, value in result.items() if not isinstance(value, list | tuple)}
