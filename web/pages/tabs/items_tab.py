"""Every item's position, with fans of its demand and of its projected stock, and its open orders."""

from typing import Any

from nicegui import ui

from graph.views.forecasts import ForecastView
from graph.views.lead_times import LeadTimesView
from graph.views.plans import OutlookView, PlanView
from web.pages.room import Seat
from web.pages.tabs.estimate_choice import Changed, EstimateChoice
from web.pages.tabs.plan_tab import NUMBER, NUMBER_CELL
from web.pages.widgets.charts import labelled_chart, stock_chart
from web.pages.widgets.forecast_card import demand_chart, forecast_facts
from web.pages.widgets.lead_times import item_section
from web.pages.widgets.line_drawer import named
from web.pages.widgets.paged_table import PagedTable
from web.pages.widgets.parts import empty, figures, heading
from web.pages.widgets.wording import percent, quantity, words

COLUMNS: list[dict[str, Any]] = [
    {"name": "item", "label": "Item", "field": "item", "align": "left", "sortable": True},
    {"name": "on_hand", "label": "On hand", "field": "on_hand", **NUMBER},
    {"name": "position", "label": "With open orders", "field": "position", **NUMBER},
    {"name": "reorder_point", "label": "Reorder point", "field": "reorder_point", **NUMBER},
    {"name": "cover", "label": "Days of cover", "field": "cover", **NUMBER},
    {"name": "stockout", "label": "Stock-out risk (%)", "field": "stockout", "digits": 1, **NUMBER},
    {"name": "change", "label": "Latest plan", "field": "change", "align": "left", "sortable": True},
    {"name": "show", "label": "Charts", "field": "item_id", "align": "right"},
]
WORST_FIRST: dict[str, Any] = {"rowsPerPage": 8, "sortBy": "stockout", "descending": True}
SHOW_CELL = """
<q-td :props="props">
  <q-btn flat dense no-caps label="Show" class="why" :aria-label="'Show ' + props.row.item"
    @click="$parent.$emit('show', props.row.item_id)" />
</q-td>
"""


class ItemsTab:
    """The table on top, the charts of the item that was picked below."""

    def __init__(self, seat: Seat, changed: Changed) -> None:
        self._seat = seat
        self._outlooks: dict[str, OutlookView] = {}
        self._picked = ""
        self._drawn: tuple[OutlookView, ForecastView | None, LeadTimesView | None] | None = None
        self._listed = PagedTable("Items", "Filter items", COLUMNS, _row, row_key="item_id", pagination=WORST_FIRST)
        self._table = self._listed.table
        self._table.add_slot("body-cell-show", SHOW_CELL)
        for name in ("on_hand", "position", "reorder_point", "cover", "stockout"):
            self._table.add_slot(f"body-cell-{name}", NUMBER_CELL)
        self._table.on("show", lambda event: self.pick(str(event.args)))
        self._choice = EstimateChoice(seat, changed)
        self._detail = ui.column().classes("fill").props("aria-live=polite")

    async def update(self, plan: PlanView | None) -> None:
        """Take over a plan's outlooks; the picked item stays."""
        outlooks = plan.outlooks if plan else ()
        self._outlooks = {outlook.item_id: outlook for outlook in outlooks}
        await self._listed.show(outlooks)
        riskiest = max(outlooks, key=lambda one: one.stockout_probability, default=None)
        if self._picked not in self._outlooks:
            self._picked = riskiest.item_id if riskiest else ""
        await self._choice.update()
        await self._draw()

    async def pick(self, item_id: str) -> bool:
        """Show the charts of an item; tells whether there is such an item."""
        if item_id in self._outlooks:
            self._picked = item_id
            await self._draw()
        return item_id in self._outlooks

    async def _draw(self) -> None:
        picked = self._picked
        outlook, view, leads = self._outlooks.get(picked), None, None
        if outlook is not None:
            with self._detail:
                outlook, view, leads = await self._read(outlook)
        if picked != self._picked or (outlook is not None and (outlook, view, leads) == self._drawn):
            return
        self._drawn = (outlook, view, leads) if outlook is not None else None
        self._detail.clear()
        with self._detail:
            if outlook is None:
                empty("No item has an outlook yet.", "A run computes them.")
            else:
                _detail(outlook, view, leads)

    async def _read(self, listed: OutlookView) -> tuple[OutlookView, ForecastView | None, LeadTimesView | None]:
        """What the charts of an item show."""
        session, item_id, version = self._seat.room.session, listed.item_id, listed.estimate_version or None
        outlook = await self._seat.act("read", session.outlook, item_id, listed.run_id or None)
        if outlook is None or not outlook.dates:
            return listed, None, None
        view = await self._seat.act("read", session.forecast, item_id, None, version)
        return outlook, view, await self._seat.act("read", session.lead_times, item_id, version)


def _row(outlook: OutlookView) -> dict[str, object]:
    return {
        "item_id": outlook.item_id,
        "item": named(outlook.item_id, outlook.item),
        "on_hand": round(outlook.on_hand, 1),
        "position": round(outlook.inventory_position, 1),
        "reorder_point": round(outlook.reorder_point, 1),
        "cover": round(outlook.days_of_cover, 1),
        "stockout": round(outlook.stockout_probability * 100, 1),
        "change": words(outlook.change),
    }


def _detail(outlook: OutlookView, view: ForecastView | None, leads: LeadTimesView | None) -> None:
    heading(named(outlook.item_id, outlook.item))
    ui.label(outlook.sentence or outlook.reason).classes("sentence")
    for reason in outlook.reasons:
        ui.label(reason)
    if outlook.sentence:
        with ui.expansion("The mathematics").classes("fill").props("dense"):
            ui.label(outlook.reason)
    figures(
        [
            ("Safety stock", quantity(round(outlook.safety_stock, 1))),
            ("Reorder point", quantity(round(outlook.reorder_point, 1))),
            ("Stock-out risk until the next delivery", percent(outlook.stockout_probability)),
            ("Fill rate", percent(outlook.fill_rate)),
            ("Demand", outlook.demand_pattern or "not known"),
            ("Forecast", outlook.forecast_model or "none"),
        ]
    )
    with ui.element("div").classes("charts"):
        if view is not None:
            demand_chart(view)
        if outlook.stock_p50:
            labelled_chart("Projected stock", stock_chart(outlook), _stock_words(outlook))
    if view is not None:
        forecast_facts(view)
    if leads is not None:
        item_section(leads)


def _stock_words(outlook: OutlookView) -> str:
    out = next((day for day, level in zip(outlook.dates, outlook.stock_p50, strict=False) if level <= 0), "")
    return f"The median reaches zero by {out}." if out else "The median stays above zero."
