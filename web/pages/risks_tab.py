"""Risks on the supply network, the worst first."""

from nicegui import ui

from graph.views import PlanView, RiskView
from web.pages.parts import chip, empty
from web.pages.wording import money

ORDER = ("critical", "high", "medium", "low")


class RisksTab:
    """Redrawn whole: nothing here is typed."""

    def __init__(self) -> None:
        self._list = ui.column().classes("fill")

    def update(self, plan: PlanView | None) -> None:
        """Show a run's risks."""
        self._list.clear()
        with self._list:
            if plan is None or not plan.risks:
                empty("No risk is known.", "A run looks along the supply network for items that run out too early.")
                return
            for risk in sorted(plan.risks, key=_rank):
                _risk(risk, plan.run.currency)


def _rank(risk: RiskView) -> tuple[int, float]:
    place = ORDER.index(risk.severity) if risk.severity in ORDER else len(ORDER)
    return place, -(risk.money_at_risk or 0.0)


def _risk(risk: RiskView, currency: str) -> None:
    with ui.element("section").classes("card card-slim"):
        with ui.row().classes("card-head"):
            chip(risk.severity)
            ui.label(risk.node_id).classes("strong")
            ui.label(", ".join(risk.item_ids)).classes("fine")
            ui.space()
            if risk.days_of_cover is not None:
                ui.label(f"{risk.days_of_cover:,.0f} days of cover").classes("fine")
            if risk.money_at_risk is not None:
                ui.label(f"{money(risk.money_at_risk, currency)} at risk").classes("strong")
        ui.label(risk.summary)
        if risk.hedge:
            ui.label(f"Hedge: {risk.hedge}").classes("fine")
