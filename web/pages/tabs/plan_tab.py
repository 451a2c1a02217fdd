"""The plan: its totals, the options that were weighed, and every order line with what explains it."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from nicegui import ui

from graph.views.orders import LineView
from graph.views.plans import ChangeView, OptionView, PlanView, WholePlanView
from web.pages.widgets.charts import labelled_chart, options_chart, trade_off_words
from web.pages.widgets.line_drawer import LineDrawer, named
from web.pages.widgets.outcomes import counted
from web.pages.widgets.paged_table import PagedTable
from web.pages.widgets.parts import TONES, action, empty, figures, heading, long_table, sentences
from web.pages.widgets.wording import money, percent, quantity, words

NAMED = 5
"""Items that a sentence names."""
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
    {"name": "change", "label": "Change", "field": "change", "align": "left", "sortable": True},
    {"name": "why", "label": "Explanation", "field": "row_id", "align": "right"},
]
WHY_CELL = """
<q-td :props="props">
  <q-btn flat dense no-caps label="Why?" class="why" :aria-label="'Why ' + props.row.item"
    @click="$parent.$emit('why', props.row.row_id)" />
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
            self._listed = PagedTable(
                "Order lines", "Filter lines", COLUMNS, _row, row_key="row_id", pagination={"rowsPerPage": 15}
            )
        self._table = self._listed.table
        self._table.add_slot("body-cell-why", WHY_CELL)
        for name in ("quantity", "price", "value"):
            self._table.add_slot(f"body-cell-{name}", NUMBER_CELL)
        self._table.add_slot("body-cell-status", STATUS_CELL)
        self._table.on("why", lambda event: self.explain(str(event.args)))
        self._options = ui.column().classes("fill")

    async def update(self, plan: PlanView | None, alone: str = "") -> None:
        """Show the current plan, what one run planned with words that say so, or that there is none."""
        self._plan = plan
        self._totals.clear()
        self._options.clear()
        with self._totals:
            if plan is None:
                empty("No plan yet.", "Import a dataset, then start a run with Replan.")
            else:
                self._scope(plan, alone)
                _totals(plan)
                _changes(plan.changes)
        self._lines.set_visibility(plan is not None)
        currency = f" ({plan.currency})" if plan and plan.currency else ""
        for column in self._table.columns:
            if column["name"] in ("price", "value"):
                column["label"] = f"{column['name'].capitalize()}{currency}"
        await self._listed.show(plan.lines if plan else ())
        if plan and plan.options:
            with self._options:
                _options(plan)

    def _scope(self, plan: PlanView, alone: str) -> None:
        """Which runs make this plan, when that is not one run that planned everything."""
        if alone:
            with ui.row().classes("notice"):
                ui.label(alone)
                action("Back to the current plan", self._back)
        elif plan.whole:
            with ui.column().classes("notice"):
                for sentence in whole_in_words(plan, plan.whole):
                    ui.label(sentence)

    def explain(self, line_id: str) -> bool:
        """Open the drawer with everything that explains a line; tells whether there is such a line."""
        plan = self._plan
        line = next((line for line in plan.lines if line.row_id == line_id), None) if plan else None
        if plan is not None and line is not None:
            self._drawer.show(line, line.run_id or plan.run.run_id)
        return line is not None


def _row(line: LineView) -> dict[str, object]:
    return {
        "row_id": line.row_id,
        "item": named(line.item_id, line.item),
        "supplier": line.supplier,
        "intent": words(line.intent),
        "quantity": line.quantity,
        "price": line.unit_price,
        "value": line.value,
        "arrives": line.expected_arrival,
        "status": words(line.status),
        "tone": TONES.get(line.status, "plain"),
        "change": "Earlier order" if line.under_way else words(line.change),
    }


def whole_in_words(plan: PlanView, whole: WholePlanView) -> list[str]:
    """Which runs make the current plan, what the latest of them planned, and what no run has planned."""
    found = [_latest_part(whole)] if whole.parts else ["No item of this dataset has a plan yet."]
    if plan.run.run_id not in {part.run_id for part in whole.parts}:
        found.append(f"The run that began last is {plan.run.status.value} and decides nothing here.")
    if whole.undecided and whole.parts:
        some = ", ".join(whole.undecided[:NAMED])
        more = " and others" if len(whole.undecided) > NAMED else ""
        found.append(f"Without a plan yet: {some}{more}.")
    if whole.under_way:
        lines, worth = counted(whole.under_way, "line"), money(whole.under_way_value, whole.currency)
        found.append(f"Beside it {lines} of earlier plans worth {worth} on the way, listed as earlier orders.")
    return found


def _latest_part(whole: WholePlanView) -> str:
    latest, *others = whole.parts
    all_items, again = counted(whole.items, "item"), counted(len(latest.item_ids), "item")
    if not others:
        return f"This is the current plan of {all_items}."
    kept = whole.items - len(latest.item_ids)
    runs = "an earlier run" if len(others) == 1 else f"{len(others)} earlier runs"
    return (
        f"This is the current plan of {all_items}: the latest run planned {again} again and left {kept:,} as {runs}"
        f" planned {'it' if kept == 1 else 'them'}. What it changed is marked."
    )


def _totals(plan: PlanView) -> None:
    whole, run = plan.whole, plan.run
    shown = whole or run
    latest = whole.latest if whole and len(whole.parts) > 1 else None
    of = f" of {counted(latest.planned, 'item')} planned last" if latest else ""
    pairs = [
        ("Latest run" if whole else "Run", run.run_id),
        ("Lines", str(whole.lines if whole else run.n_lines)),
        ("Order value", money(shown.order_value, plan.currency)),
        (f"Expected cost{of}", money(plan.expected_cost, plan.currency)),
        ("Wait for approval", str(shown.pending_approvals)),
        ("Dispatched", str(shown.dispatched)),
    ]
    if plan.lower_bound > 0:
        above = percent(plan.expected_cost / plan.lower_bound - 1)
        pairs.insert(4, (f"Above the bound of the priced candidates{of}", above))
    figures(pairs)
    sentences(plan.conflicts, "notice", of="conflicts")


def _changes(changes: Sequence[ChangeView]) -> None:
    """What differs from the earlier plan of the same items."""
    if not changes:
        return
    heading(f"Against the plan before: {counted(len(changes), 'line')} differ")
    rows = [_change_row(change) for change in changes]
    long_table(("Item", "Supplier", "Before", "Now"), rows, numeric=(2, 3), name="Changes", of="lines")


def _change_row(change: ChangeView) -> tuple[str, ...]:
    before, after = change.before_quantity, change.after_quantity
    return (
        named(change.item_id, change.item),
        change.supplier,
        quantity(before, change.uom) if before else "new",
        quantity(after, change.uom) if after else "no longer proposed",
    )


def _options(plan: PlanView) -> None:
    """What each run weighed that decides most of it still: the largest in full, the others folded."""
    by_run: dict[str, list[OptionView]] = {}
    for option in plan.options:
        by_run.setdefault(option.run_id, []).append(option)
    for place, (run_id, options) in enumerate(by_run.items()):
        of = f" of {run_id}" if len(by_run) > 1 else ""
        title = f"Options{of}: {len(options)} computed, {sum(option.chosen for option in options)} chosen"
        if place == 0:
            heading(title)
            _weighed(options, plan.currency, f"Options{of}")
        else:
            with ui.expansion(title).classes("fill").props("dense"):
                _chosen_reasons(options)
                _option_table(options, f"Options{of}")


def _weighed(options: Sequence[OptionView], currency: str, name: str) -> None:
    ui.label(
        "Each group of items has its own alternatives. The chart sets what an option costs above the cheapest of its"
        " group against the demand that it serves at once; the large marks are chosen."
    ).classes("fine")
    chosen = [option for option in options if option.chosen]
    labelled_chart("Trade-off of the options", options_chart(options, currency), trade_off_words(chosen))
    _chosen_reasons(options)
    _option_table(options, name)


def _chosen_reasons(options: Sequence[OptionView]) -> None:
    chosen = [option for option in options if option.chosen and option.reason]
    sentences([f"Group {one.group}, {one.title.lower()}: {one.reason}" for one in chosen], of="reasons")


def _option_table(options: Sequence[OptionView], name: str) -> None:
    headers = ("Group", "Option", "", "Order value", "Expected cost", "Fill rate", "Stock-out", "At risk")
    rows = [_option_row(option) for option in options]
    long_table(headers, rows, numeric=(3, 4, 5, 6, 7), name=name, of="options")


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
