"""Plans as they are stored: of one run, or the current plan of every item, merged from the runs that decide it."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from graph.computation.estimate_desk import EstimateDesk
from graph.computation.memo import Memo
from graph.reading import queries
from graph.reading.changes import changes_since
from graph.reading.current_plan import Part, is_under_way, merged, with_marks
from graph.reading.queries import figures_by_run
from graph.run.progress import OrderCounts, step_summary, stored_step
from graph.stores import Stores
from graph.views.orders import LineView
from graph.views.plans import ChangeView, OutlookView, PlanView
from graph.views.runs import RunStatus, RunView, StepView
from graph.views.standing import shown_status
from store.operations import RunRow
from tools.domain.datasets import Dataset, grouped
from tools.domain.errors import NotFound
from tools.domain.orders import ON_ORDER, Order

RUNS_KEPT = 8
"""Runs whose plans are kept in memory, without series: some thirty megabytes for 10,000 items."""
RUNS_COMPARED = 20
"""Latest plans among which the earlier plan of an item is looked for."""


class Plans:
    """Reads plans; the number of queries does not grow with their lines."""

    def __init__(self, stores: Stores, desk: EstimateDesk) -> None:
        self._stores = stores
        self._desk = desk
        self._kept = Memo(RUNS_KEPT)
        self._figures: Mapping[str, tuple[int, Mapping[str, Any]]] = {}

    def latest(self) -> RunRow:
        """The run that began last. NotFound before the first."""
        found = self._stores.operations.runs(1)
        if not found:
            raise NotFound("No run is stored yet.", remedy="Start one with `jit plan`.")
        return found[0]

    def runs(self, limit: int) -> list[RunView]:
        """The latest runs; what the ledger tells of each is added up again only after it changed."""
        operations = self._stores.operations
        rows = operations.runs(limit)
        marks = operations.ledger_marks([row.run_id for row in rows])
        changed = [run_id for run_id, mark in marks.items() if self._figures.get(run_id, (None,))[0] != mark]
        figures = figures_by_run(operations.orders_of(*changed)) if changed else {}
        kept = {run_id: self._figures[run_id] for run_id in marks if run_id not in changed}
        self._figures = kept | {run_id: (marks[run_id], found) for run_id, found in figures.items()}
        return queries.run_views(rows, operations, {run_id: found for run_id, (_, found) in self._figures.items()})

    def steps(self, run_id: str) -> list[StepView]:
        """The steps of a run as the journal holds them."""
        stores = self._stores
        rows = [row for row in stores.journal.transitions(run_id) if row.event == "node"]
        counts = OrderCounts.of(run_id, stores.operations)
        nodes = dict.fromkeys(row.node for row in rows)
        summaries = {node: step_summary(node, run_id, stores.warehouse, counts) for node in nodes}
        return [stored_step(row, summaries[row.node]) for row in rows]

    def run(self, run_id: str) -> RunView:
        """One run in short."""
        operations = self._stores.operations
        return queries.run_views([operations.run(run_id)], operations, figures_by_run(operations.orders_of(run_id)))[0]

    def of_run(self, run_id: str, *, series: bool = True) -> PlanView:
        """What a run planned: its orders as the ledger has them now."""
        operations = self._stores.operations
        orders = operations.orders_of(run_id)
        (run,) = queries.run_views([operations.run(run_id)], operations, figures_by_run(orders))
        return self._marked(self._views([run], orders, series=series)[run_id], run_id, orders)

    def outlook(self, item_id: str, run_id: str | None) -> OutlookView:
        """An item's outlook with its series, by a run or by the one that decides it. NotFound when it planned none."""
        operations, warehouse = self._stores.operations, self._stores.warehouse
        decider = run_id or operations.deciding_run(item_id) or self.latest().run_id
        (run,) = queries.run_views([operations.run(decider)], operations, {})
        dataset = self._desk.dataset(run.dataset_version)
        names = {(decider, f"{item_id}@{site_id}"): site_id for site_id in dataset.sites}
        stored = warehouse.artifacts_named(names, "outlook")
        if not stored:
            raise NotFound(f"{decider} planned no item {item_id}.", remedy="`jit show --all` lists its items.")
        (_, key), raw = next(iter(stored.items()))
        return queries.outlook_view(raw, run, dataset, self._demand(run, [key]).get(key, {}))

    def current(self, *, series: bool = True) -> PlanView:
        """The current plan of every item: of each the latest published plan that decided it.

        Where that is the latest run's plan alone, it is what that run planned.
        """
        operations, newest, dataset = self._stores.operations, self.latest(), self._active()
        deciding = operations.deciding_runs()
        decided = {item: run_id for item, run_id in deciding.items() if item in dataset.items}
        rows = operations.runs_named({*decided.values(), newest.run_id})
        orders = operations.orders_of(*rows)
        runs = queries.run_views(list(rows.values()), operations, figures_by_run(orders))
        views = self._views(runs, orders, newest.run_id, series=series)
        planned = {one.run_id: len(one.item_ids) for one in operations.publications(*rows)}
        parts = [Part(views[run_id], _items_of(run_id, decided), planned[run_id]) for run_id in _once(decided.values())]
        earlier = _earlier(operations.orders_in(ON_ORDER), decided, dataset)
        plan = merged(views[newest.run_id], parts, orders, earlier, dataset.items)
        if not deciding or _is_one_run(plan, newest.run_id):
            plan = views[newest.run_id]
        return self._marked(plan, parts[0].run_id if parts else newest.run_id, orders)

    def run_of_line(self, line_id: str) -> str:
        """The run that ordered a line of the current plan; the latest run where none did."""
        return self._stores.operations.run_of_line(line_id) or self.latest().run_id

    def _active(self) -> Dataset:
        version = self._stores.warehouse.active_version()
        return self._desk.dataset(version or self.latest().dataset_version)

    def _views(
        self, runs: Sequence[RunView], orders: Sequence[Order], steps_of: str = "", *, series: bool
    ) -> dict[str, PlanView]:
        """What each run planned; its steps where it is the only one, or the named one."""
        told, of_run = self._told(runs, series=series), grouped(orders, lambda order: order.run_id)
        return {
            run.run_id: queries.with_orders(
                told[run.run_id],
                run,
                of_run.get(run.run_id, ()),
                self.steps(run.run_id) if series and steps_of in ("", run.run_id) else (),
                self._desk.dataset(run.dataset_version),
            )
            for run in runs
        }

    def _told(self, runs: Sequence[RunView], *, series: bool) -> dict[str, PlanView]:
        """What each run left behind. Without series it is kept as long as the run stands where it stands."""

        def read(wanted: Sequence[RunView]) -> dict[str, PlanView]:
            stored = self._stores.warehouse.artifacts_of([run.run_id for run in wanted], queries.SHOWN)
            found: dict[str, PlanView] = {}
            for run in wanted:
                own, dataset = stored[run.run_id], self._desk.dataset(run.dataset_version)
                demand = self._demand(run, own.get("outlook", {})) if series else {}
                found[run.run_id] = queries.told_of_run(run, dataset, own, demand)
            return found

        if series:
            return read(runs)
        kept = {run.run_id: run for run in runs if run.status is not RunStatus.RUNNING}
        found = read([run for run in runs if run.run_id not in kept])
        for run_id, run in kept.items():
            key = (run_id, run.status, run.ended_at)
            found[run_id] = self._kept.of(key, lambda run=run: read([run])[run.run_id])
        return found

    def _demand(self, run: RunView, keys: Collection[str]) -> Mapping[str, Mapping[str, Any]]:
        """What the run's estimates say of the demand for these items at a site."""
        version = run.versions.get("estimate", "")
        return self._desk.told_demand(run.dataset_version, version, keys) if version else {}

    def _marked(self, plan: PlanView, run_id: str, orders: Sequence[Order]) -> PlanView:
        """The plan with what its latest run changed."""
        own = [order for order in orders if order.run_id == run_id]
        return with_marks(plan.model_copy(update={"changes": self._changes(run_id, own)}))

    def _changes(self, run_id: str, orders: Sequence[Order]) -> tuple[ChangeView, ...]:
        """Against the plans published before this one, as far back as are looked at."""
        operations = self._stores.operations
        known = operations.publications_until(run_id, RUNS_COMPARED)
        if not known:
            return ()
        own, before = known[0], known[1:]
        found: dict[str, list[Order]] = {}
        for order in operations.orders_of(*(one.run_id for one in before)):
            found.setdefault(order.run_id, []).append(order)
        earlier = ((one.run_id, one.item_ids, found.get(one.run_id, [])) for one in before)
        return changes_since(own.item_ids, orders, earlier, self._active())


def _once(run_ids: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(run_ids))


def _items_of(run_id: str, decided: Mapping[str, str]) -> frozenset[str]:
    return frozenset(item_id for item_id, decider in decided.items() if decider == run_id)


def _earlier(on_order: Sequence[Order], decided: Mapping[str, str], dataset: Dataset) -> list[LineView]:
    """Lines under way of items that another run has planned since."""
    return [
        queries.line_view(line, order, dataset, shown_status(order), ()).model_copy(update={"under_way": True})
        for order in on_order
        if is_under_way(order)
        for line in order.lines
        if line.item_id in dataset.items and decided.get(line.item_id) != order.run_id
    ]


def _is_one_run(plan: PlanView, run_id: str) -> bool:
    """Whether the current plan is what one run planned, that run the latest, and nothing stands beside it."""
    whole = plan.whole
    if whole is None or len(whole.parts) != 1 or whole.undecided or whole.under_way:
        return False
    return whole.parts[0].run_id == run_id and whole.parts[0].planned == whole.items
