"""The plan: its totals, the options that were weighed, and every order line with what explains it."""

from typing import Any

from nicegui import ui

from graph.views import LineView, OptionView, PlanView, VerdictView
from web.pages.parts import chip, empty, figures, grid_table, heading
from web.pages.wording import money, percent, quantity, words

NUMBER = {"align": "right", "sortable": True}
COLUMNS: list[dict[str, Any]] = [
    {"name": "item", "label": "Item", "field": "item", "align": "left", "sortable": True},
    {"name": "supplier", "label": "Supplier", "field": "supplier", "align": "left", "sortable": True},
    {"name": "intent", "label": "Intent", "field": "intent", "align": "left", "sortable": True},
    {"name": "quantity", "label": "Quantity", "field": "quantity", **NUMBER},
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
NUMBER_CELL = """<q-td :props="props">{{ props.value.toLocaleString("en", {maximumFractionDigits: 2}) }}</q-td>"""


class PlanTab:
    """Rows change in place; sorting, page and filter stay."""

    def __init__(self) -> None:
        self._plan: PlanView | None = None
        self._totals = ui.column().classes("fill")
        with ui.row().classes("table-head"):
            heading("Order lines", 3)
            ui.space()
            search = ui.input(placeholder="Filter lines").props(
                'dense outlined clearable aria-label="Filter lines" debounce=150'
            )
        self._table = ui.table(columns=COLUMNS, rows=[], row_key="line_id", pagination=15).classes("sheet")
        self._table.props("flat dense").bind_filter_from(search, "value")
        self._table.add_slot("body-cell-why", WHY_CELL)
        for name in ("quantity", "value"):
            self._table.add_slot(f"body-cell-{name}", NUMBER_CELL)
        self._table.on("why", lambda event: self.explain(str(event.args)))
        self._options = ui.column().classes("fill")
        self._drawer = ui.dialog().props("position=right full-height")

    def update(self, plan: PlanView | None) -> None:
        """Show a run's plan, or that there is none."""
        self._plan = plan
        self._totals.clear()
        self._options.clear()
        with self._totals:
            if plan is None:
                empty("No plan yet.", "Import a dataset, then start a run with Replan.")
            else:
                _totals(plan)
        self._table.set_visibility(plan is not None)
        self._table.rows = [_row(line) for line in plan.lines] if plan else []
        self._table.update()
        if plan and plan.options:
            with self._options:
                _options(plan)

    def explain(self, line_id: str) -> None:
        """Open the drawer with everything that explains a line."""
        line = next((line for line in self._plan.lines if line.line_id == line_id), None) if self._plan else None
        if line is None:
            return
        self._drawer.clear()
        with self._drawer, ui.card().classes("drawer").props("role=document tabindex=0"):
            with ui.row().classes("drawer-head"):
                heading(line.item)
                ui.space()
                ui.button(icon="close", on_click=self._drawer.close).props('flat round dense aria-label="Close"')
            _explanation(line)
        self._drawer.open()


def _row(line: LineView) -> dict[str, object]:
    return {
        "line_id": line.line_id,
        "item": f"{line.item_id} · {line.item}" if line.item != line.item_id else line.item_id,
        "supplier": line.supplier,
        "intent": words(line.intent),
        "quantity": line.quantity,
        "value": line.value,
        "arrives": line.expected_arrival,
        "status": words(line.status),
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
        pairs.insert(4, ("Above proven bound", percent(plan.expected_cost / plan.lower_bound - 1)))
    figures(pairs)
    for conflict in plan.conflicts:
        ui.label(conflict).classes("notice")


def _options(plan: PlanView) -> None:
    chosen = [option for option in plan.options if option.chosen]
    with ui.expansion(f"Options: {len(plan.options)} computed, {len(chosen)} chosen").classes("options").props("dense"):
        rows = [_option_row(option) for option in plan.options]
        headers = ("", "Group", "Option", "Order value", "Expected cost", "Fill rate", "Stock-out", "At risk", "Reason")
        grid_table(headers, rows, numeric=(3, 4, 5, 6, 7), name="Options")


def _option_row(option: OptionView) -> tuple[str, ...]:
    return (
        "chosen" if option.chosen else "",
        option.group,
        option.title,
        money(option.order_value),
        money(option.expected_cost),
        percent(option.fill_rate),
        percent(option.stockout_probability),
        money(option.risk_exposure),
        option.reason if option.chosen else "",
    )


def _explanation(line: LineView) -> None:
    with ui.row().classes("chips"):
        chip(line.status)
        chip(words(line.intent), "plain")
    ui.label(
        f"{quantity(line.quantity, line.uom)} from {line.supplier} at {money(line.unit_price, line.currency)},"
        f" {money(line.landed_cost, line.currency)} landed. Ordered {line.order_date}, arrives {line.expected_arrival}."
    )
    if line.formula:
        heading("Formula", 3)
        if line.policy:
            ui.label(f"Policy {line.policy}").classes("fine")
        ui.label(line.formula).classes("formula")
    if line.figures:
        heading("Figures", 3)
        figures([(words(name), quantity(value)) for name, value in line.figures.items()])
    _sentences("Notes and next best source", line.notes)
    _sentences("Limits that bind", line.binding)
    if line.verdicts:
        heading("Gates", 3)
        for verdict in line.verdicts:
            show_verdict(verdict)


def _sentences(title: str, found: tuple[str, ...]) -> None:
    if found:
        heading(title, 3)
        with ui.element("ul").classes("reasons"):
            for text in found:
                with ui.element("li"):
                    ui.label(text)


def show_verdict(verdict: VerdictView) -> None:
    """A gate's answer in one row."""
    with ui.row().classes("verdict"):
        chip(verdict.effect)
        with ui.column().classes("verdict-text"):
            ui.label(verdict.reason)
            limits = f" · limit {verdict.limit}, actual {verdict.actual}" if verdict.limit or verdict.actual else ""
            ui.label(f"{verdict.gate} · {words(verdict.rule).lower()} · {verdict.subject}{limits}").classes("fine")
