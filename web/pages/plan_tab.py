"""The plan: its totals, the options that were weighed, and every order line with what explains it."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from nicegui import ui

from graph.views import ChangeView, LineView, OptionView, PlanView, TriggerKind
from web.pages.charts import labelled_chart, options_chart, trade_off_words
from web.pages.line_drawer import LineDrawer, named
from web.pages.outcomes import counted
from web.pages.parts import TONES, action, empty, figures, grid_table, heading
from web.pages.wording import money, percent, quantity, words

NUMBER = {"align": "right", "sortable": True}
COLUMNS: list[dict[str, Any]] = [
    {"name": "item", "label": "Item", "field": "item", "align": "left", "sortable": True},
    {"name": "supplier", "label": "Supplier", "field": "supplier", "align": "left", "sortable": True},
    {"name": "intent", "label": "Intent", "field": "intent", "align": "left", "sortable": True},
    {"name": "quantity", "label": "Quantity", "field": "quantity", **NUMBER},
    {"name": "price", "label": "Price", "field": "price", "digits": 2, **NUMBER},
    {"name": "value", "label": "Value", "field": "value", **NUMBER},
    {"name": "arrives", "label": "Arrives", "field": "arrives", "align": "left", "sortable": True},
    {"name": "status", "label": "Status", "field": "status", "align": "left", "sortable": True},
    {"name": "why", "label": "Explanation", "field": "line_id", "align": "right"},
]
WHY_CELL = """
<q-td :props="props">
  <q-btn flat dense no-caps label="Why?" class="why" :aria-label="'Why ' + props.row.item"
    @click="$parent.$emit('why', props.row.line_id)" />
</q-td>
"""
STATUS_CELL = """<q-td :props="props"><span :class="'chip chip-' + props.row.tone">{{ props.value }}</span></q-td>"""
NUMBER_CELL = """
<q-td :props="props">
  {{ props.value.toLocaleString("en", {
    minimumFractionDigits: props.col.digits ?? 0, maximumFractionDigits: props.col.digits ?? 0 }) }}
</q-td>
"""


class PlanTab:
    """Rows change in place; sorting, page and filter stay."""

    def __init__(self, drawer: LineDrawer, back: Callable[[], Awaitable[None]]) -> None:
        self._back = back
        self._plan: PlanView | None = None
        self._drawer = drawer
        self._totals = ui.column().classes("fill")
        self._lines = ui.column().classes("fill")
        with self._lines:
            with ui.row().classes("table-head"):
                heading("Order lines")
                ui.space()
                search = ui.input(placeholder="Filter lines").props(
                    'dense outlined clearable aria-label="Filter lines" debounce=150'
                )
            columns = [dict(column) for column in COLUMNS]
            self._table = ui.table(columns=columns, rows=[], row_key="line_id", pagination=15).classes("sheet")
        self._table.props("flat dense").bind_filter_from(search, "value")
        self._table.add_slot("body-cell-why", WHY_CELL)
        for name in ("quantity", "price", "value"):
            self._table.add_slot(f"body-cell-{name}", NUMBER_CELL)
        self._table.add_slot("body-cell-status", STATUS_CELL)
        self._table.on("why", lambda event: self.explain(str(event.args)))
        self._options = ui.column().classes("fill")

    def update(self, plan: PlanView | None, *, latest: bool = True) -> None:
        """Show a run's plan, or that there is none."""
        self._plan = plan
        self._totals.clear()
        self._options.clear()
        with self._totals:
            if plan is None:
                empty("No plan yet.", "Import a dataset, then start a run with Replan.")
            else:
                self._scope(plan, latest)
                _totals(plan)
                _changes(plan.changes)
        self._lines.set_visibility(plan is not None)
        currency = f" ({plan.run.currency})" if plan and plan.run.currency else ""
        for column in self._table.columns:
            if column["name"] in ("price", "value"):
                column["label"] = f"{column['name'].capitalize()}{currency}"
        self._table.rows = [_row(line) for line in plan.lines] if plan else []
        self._table.update()
        if plan and plan.options:
            with self._options:
                _options(plan)

    def _scope(self, plan: PlanView, latest: bool) -> None:
        """What this plan covers, when that is not everything or not the latest."""
        if not latest:
            with ui.row().classes("notice"):
                ui.label("You look at an earlier run.")
                action("Back to the latest", self._back)
        elif plan.run.trigger.kind is TriggerKind.ALERT or plan.run.trigger.item_ids:
            covered = counted(len(plan.outlooks), "item")
            ui.label(f"This run replanned {covered} only. Plans of earlier runs are under Runs.").classes("notice")

    def explain(self, line_id: str) -> bool:
        """Open the drawer with everything that explains a line; tells whether there is such a line."""
        plan = self._plan
        line = next((line for line in plan.lines if line.line_id == line_id), None) if plan else None
        if plan is not None and line is not None:
            self._drawer.show(line, plan.run.run_id)
        return line is not None


def _row(line: LineView) -> dict[str, object]:
    return {
        "line_id": line.line_id,
        "item": named(line.item_id, line.item),
        "supplier": line.supplier,
        "intent": words(line.intent),
        "quantity": line.quantity,
        "price": line.unit_price,
        "value": line.value,
        "arrives": line.expected_arrival,
        "status": words(line.status),
        "tone": TONES.get(line.status, "plain"),
    }


def _totals(plan: PlanView) -> None:
    run = plan.run
    pairs = [
        ("Run", run.run_id),
        ("Lines", str(run.n_lines)),
        ("Order value", money(run.order_value, run.currency)),
        ("Expected cost", money(plan.expected_cost, run.currency)),
        ("Wait for approval", str(run.pending_approvals)),
        ("Dispatched", str(run.dispatched)),
    ]
    if plan.lower_bound > 0:
        above = percent(plan.expected_cost / plan.lower_bound - 1)
        pairs.insert(4, ("Above the bound of the priced candidates", above))
    figures(pairs)
    for conflict in plan.conflicts:
        ui.label(conflict).classes("notice")


def _changes(changes: Sequence[ChangeView]) -> None:
    """What differs from the earlier plan of the same items."""
    if not changes:
        return
    heading(f"Against the plan before: {counted(len(changes), 'line')} differ")
    rows = [_change_row(change) for change in changes]
    grid_table(("Item", "Supplier", "Before", "Now"), rows, numeric=(2, 3), name="Changes")


def _change_row(change: ChangeView) -> tuple[str, ...]:
    before, after = change.before_quantity, change.after_quantity
    return (
        named(change.item_id, change.item),
        change.supplier,
        quantity(before, change.uom) if before else "new",
        quantity(after, change.uom) if after else "no longer proposed",
    )


def _options(plan: PlanView) -> None:
    chosen = [option for option in plan.options if option.chosen]
    heading(f"Options: {len(plan.options)} computed, {len(chosen)} chosen")
    ui.label(
        "Each group of items has its own alternatives. The chart sets what an option costs above the cheapest of its"
        " group against the demand that it serves at once; the large marks are chosen."
    ).classes("fine")
    labelled_chart("Trade-off of the options", options_chart(plan.options, plan.run.currency), trade_off_words(chosen))
    for option in chosen:
        if option.reason:
            ui.label(f"Group {option.group}, {option.title.lower()}: {option.reason}")
    rows = [_option_row(option) for option in plan.options]
    headers = ("Group", "Option", "", "Order value", "Expected cost", "Fill rate", "Stock-out", "At risk")
    grid_table(headers, rows, numeric=(3, 4, 5, 6, 7), name="Options")


def _option_row(option: OptionView) -> tuple[str, ...]:
    return (
        option.group,
        option.title,
        "chosen" if option.chosen else "",
        money(option.order_value),
        money(option.expected_cost),
        percent(option.fill_rate),
        percent(option.stockout_probability),
        money(option.risk_exposure),
    )
