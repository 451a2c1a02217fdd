"""Risks on the supply network, the worst first, suppliers' lead times, and the alerts that came in."""

from collections.abc import Mapping, Sequence
from functools import partial

from nicegui import ui

from graph.views.plans import PlanView, RiskView
from graph.views.runs import AlertView
from web.pages.room import Seat
from web.pages.widgets.lead_times import suppliers_section
from web.pages.widgets.parts import Cell, chip, empty, grid_table, heading, long_table
from web.pages.widgets.wording import money, when, words

ORDER = ("critical", "high", "medium", "low")
HEADERS = ("Severity", "If this fails", "Items", "Covered", "Money at risk", "What happens", "Hedge")
NUMERIC = (3, 4)
SHOWN_ALERTS = 50
NAMED = 8
"""Items that a risk names."""


class RisksTab:
    """Redrawn whole: nothing here is typed."""

    def __init__(self, seat: Seat) -> None:
        self._seat = seat
        self._list = ui.column().classes("fill")

    async def update(self, plan: PlanView | None) -> None:
        """Show a run's risks, the lead times that it planned with, and the latest alerts."""
        leads = None
        with self._list:
            alerts = await self._seat.act("read", self._seat.room.session.alerts, SHOWN_ALERTS) or ()
        if plan is not None:
            with self._list:
                session, version = self._seat.room.session, plan.run.versions.get("estimate")
                leads = await self._seat.act("read", session.lead_times, None, version)
        self._list.clear()
        with self._list:
            heading("Supply risks")
            if plan is None or not plan.risks:
                empty("No risk is known.", "A run looks along the supply network for items that run out too early.")
            else:
                _table(plan)
            if plan is not None:
                suppliers_section(leads)
            if alerts:
                heading("Alerts received")
                _alerts(alerts)


def _alerts(alerts: Sequence[AlertView]) -> None:
    rows = [
        (
            when(alert.received_at),
            words(alert.kind) or "Not read yet",
            alert.node_id,
            f"{alert.delay_days} days" if alert.delay_days else "",
            alert.until,
            words(alert.status),
            alert.run_id or alert.error,
            alert.source,
        )
        for alert in alerts
    ]
    headers = ("Received", "Kind", "About", "Delay", "Until", "Status", "Run", "From")
    grid_table(headers, rows, name="Alerts received")


def _table(plan: PlanView) -> None:
    names = _names(plan)
    rows = [_row(risk, names, plan.currency) for risk in sorted(plan.risks, key=_rank)]
    long_table(HEADERS, rows, numeric=NUMERIC, name="Supply risks", of="risks")


def _row(risk: RiskView, names: Mapping[str, str], currency: str) -> list[Cell]:
    return [
        partial(chip, risk.severity),
        node_words(risk.node_id, names),
        _items(risk.item_ids, names),
        "" if risk.days_of_cover is None else days(risk.days_of_cover),
        "" if risk.money_at_risk is None else money(risk.money_at_risk, currency),
        risk.summary,
        risk.hedge,
    ]


def _items(item_ids: Sequence[str], names: Mapping[str, str]) -> str:
    named = ", ".join(_known(item_id, names) for item_id in item_ids[:NAMED])
    return f"{named} and {len(item_ids) - NAMED:,} more" if len(item_ids) > NAMED else named


def _rank(risk: RiskView) -> tuple[int, float]:
    place = ORDER.index(risk.severity) if risk.severity in ORDER else len(ORDER)
    return place, -(risk.money_at_risk or 0.0)


def _names(plan: PlanView) -> dict[str, str]:
    """Names of the items and suppliers that the plan knows."""
    return {
        **{outlook.item_id: outlook.item for outlook in plan.outlooks},
        **{line.supplier_id: line.supplier for line in plan.lines},
    }


def _known(name: str, names: Mapping[str, str]) -> str:
    known = names.get(name, name)
    return f"{name} {known}" if known != name else name


def node_words(node_id: str, names: Mapping[str, str]) -> str:
    """A node of the network as people say it: `country:DE` is country DE."""
    kind, colon, name = node_id.partition(":")
    return f"{words(kind)} {name}" if colon else _known(node_id, names)


def days(count: float) -> str:
    """A number of days."""
    return "1 day" if round(count) == 1 else f"{count:,.0f} days"
