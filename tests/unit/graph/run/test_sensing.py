"""How a run begins: on which data, for which items, under which alerts, and when it gives up looking again."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import asdict, replace
from datetime import UTC, date, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import orjson
import pytest
from gate_cases import KnownDesk, Shelf, context_of, dataset_with, rules_with, runtime_of, state_of
from order_cases import judged, order_of
from sandbox_world import OFFER, OTHER

from graph.computation.desk import Scope
from graph.context import Context
from graph.run import gates
from graph.run.gates import gate_drift
from graph.run.nodes import OLD_SUPPLY, estimate, sense
from graph.run.state import scope_of
from store.operations import Operations, Plan, Window
from tools.domain.alerts import Alert, AlertKind
from tools.domain.datasets import Dataset
from tools.domain.orders import Order, OrderStatus
from tools.forecasting import DemandPattern

MORNING = datetime(2026, 3, 1, 8, tzinfo=UTC)
WINDOW = Window(date(2026, 3, 2), date(2026, 3, 29))


@pytest.fixture
def operations(tmp_path: Path) -> Iterator[Operations]:
    with closing(Operations(f"sqlite:///{tmp_path}/operations.sqlite")) as opened:
        opened.create_run("run-1", {}, "ana", "ds-1", {})
        yield opened


def alert(name: str, item_id: str, **known: Any) -> dict[str, Any]:
    """An alert about an item, as JSON."""
    made = Alert(alert_id=name, kind=AlertKind.DELAY, node_id="S1", item_ids=(item_id,), received_at=MORNING, **known)
    return made.model_dump(mode="json")


class SensingDesk(KnownDesk):
    """A desk of two dataset versions on which an alert affects the items that it names."""

    def __init__(self, dataset: Dataset) -> None:
        super().__init__(dataset)
        self.versions = {name: replace(dataset, version=name) for name in ("ds-1", "ds-2")}

    def dataset(self, version: str) -> Dataset:
        return self.versions[version]

    def disruption(self, scope: Scope) -> Any:
        assert scope.dataset_version in self.versions and scope.item_ids == ("A", "B")
        assert scope.alerts == orjson.dumps(orjson.loads(scope.alerts), option=orjson.OPT_SORT_KEYS).decode()
        return SimpleNamespace(affected_item_ids=[item for one in scope.typed_alerts for item in one.item_ids])


def sensing(operations: Operations, fresh: str | None = None, **known: Any) -> Context:
    desk = SensingDesk(dataset_with(**known.pop("dataset", {})))
    return context_of(operations, **{"desk": desk, "fresh_dataset": lambda: fresh, **known})


def published(operations: Operations, order: Order) -> None:
    needs = dict.fromkeys(order.needs, WINDOW)
    operations.publish(Plan(order.run_id, operations.supply_seq(), sorted(order.item_ids), needs, [order]))


def trigger(**known: Any) -> dict[str, Any]:
    return {"kind": "plan", "actor": "ana", **known}


def test_a_first_pass_fixes_supply_data_and_every_item(operations: Operations) -> None:
    published(operations, order_of("C", run_id="run-2"))
    shelf = Shelf()
    shelf.put_artifact("run-1", "trigger", "told", {})
    assert sense(state_of(), runtime_of(sensing(operations, warehouse=shelf))) == {
        "item_ids": ["A", "B"],
        "kept": [],
        "alerts": [],
        "supply": operations.supply_seq(),
        "dataset_version": "ds-1",
        "adjustments": {},
        "budget": None,
        "passes": 1,
        "rounds": 0,
        "line_verdicts": [],
        "watched": "",
        "stopped": "",
    }
    assert operations.supply_seq() > 0 and len(shelf.artifacts) == 1


def test_supply_is_read_before_the_data_is(operations: Operations) -> None:
    """What moves in between is found out when the plan is published."""
    before = operations.supply_seq()

    def fresh() -> str:
        operations.supply_moved({("A", "MAIN")})
        return "ds-1"

    found = sense(state_of(), runtime_of(sensing(operations, fresh_dataset=fresh)))
    assert found["supply"] == before < operations.supply_seq()


@pytest.mark.parametrize(
    ("passes", "stopped"),
    [
        (1, ""),
        (7, ""),
        (8, "What is on order moved 8 times while this run planned; it ordered nothing. Plan again in a moment."),
        (9, "What is on order moved 9 times while this run planned; it ordered nothing. Plan again in a moment."),
    ],
)
def test_a_run_that_looks_again_starts_over_and_gives_up_after_eight_passes(
    operations: Operations, passes: int, stopped: str
) -> None:
    shelf = Shelf()
    shelf.artifacts = {("run-1", "plan", "choice"): {}, ("run-2", "plan", "choice"): {}}
    found = sense(state_of(passes=passes, rounds=3), runtime_of(sensing(operations, warehouse=shelf)))
    assert (found["stopped"], found["passes"], found["rounds"]) == (stopped, 1, -3)
    assert list(shelf.artifacts) == [("run-2", "plan", "choice")]


@pytest.mark.parametrize(
    ("known", "fresh", "version"),
    [
        ({}, None, "ds-1"),
        ({}, "ds-1", "ds-1"),
        ({}, "ds-2", "ds-2"),
        ({"dataset_version": "ds-1"}, "ds-2", "ds-1"),
        ({"dataset_version": "ds-2"}, None, "ds-2"),
    ],
)
def test_a_run_plans_on_the_version_asked_for_else_on_the_freshest(
    operations: Operations, known: dict[str, str], fresh: str | None, version: str
) -> None:
    found = sense(state_of(trigger=trigger(**known)), runtime_of(sensing(operations, fresh)))
    run = operations.run("run-1")
    assert (found["dataset_version"], run.dataset_version) == (version, version)
    assert run.versions == ({} if version == "ds-1" else {"dataset": "ds-2"})


@pytest.mark.parametrize(
    ("known", "read", "watched"),
    [
        ({"dataset_version": "ds-1"}, False, OLD_SUPPLY),
        ({"dataset_version": "ds-1"}, True, ""),
        ({}, False, ""),
        ({"dataset_version": "ds-2"}, False, OLD_SUPPLY),
    ],
    ids=["asked for, ignorant", "asked for, read since", "not asked for", "another one asked for"],
)
def test_a_plan_on_data_that_does_not_know_what_is_on_order_is_only_shown(
    operations: Operations, known: dict[str, str], read: bool, watched: str
) -> None:
    published(operations, order_of("A", run_id="run-2", status=OrderStatus.APPROVED))
    if read:
        operations.note_supply_read("ds-1", operations.supply_seq())
    assert sense(state_of(trigger=trigger(**known)), runtime_of(sensing(operations)))["watched"] == watched


@pytest.mark.parametrize(
    ("known", "items"),
    [
        ({}, ["A", "B"]),
        ({"item_ids": ["B"]}, ["B"]),
        ({"item_ids": ["B", "A"]}, ["A", "B"]),
        ({"item_ids": ["Z"]}, []),
        ({"alerts": [alert("a-1", "B")]}, ["B"]),
        ({"alerts": [alert("a-1", "Z")]}, []),
        ({"alerts": [alert("a-1", "B")], "item_ids": ["A"]}, ["A", "B"]),
    ],
)
def test_a_run_replans_what_it_is_asked_for_and_what_its_alert_affects(
    operations: Operations, known: dict[str, Any], items: list[str]
) -> None:
    found = sense(state_of(trigger=trigger(**known)), runtime_of(sensing(operations)))
    assert found["item_ids"] == items


def test_items_that_wait_in_one_order_with_a_wanted_one_are_planned_anew(operations: Operations) -> None:
    """Nothing is kept of the run that planned them: whether anything is new of them cannot be told."""
    operations.create_run("run-2", {}, "ana", "ds-1", {})
    published(operations, order_of("A", "B", run_id="run-2"))
    found = sense(state_of(trigger=trigger(item_ids=["B"])), runtime_of(sensing(operations)))
    assert found["item_ids"] == ["A", "B"] and found["kept"] == []


def test_what_waits_in_one_order_with_a_wanted_item_stays_as_it_was_planned(operations: Operations) -> None:
    operations.create_run("run-2", {}, "ana", "ds-1", {})
    published(operations, judged(order_of("A", "B", run_id="run-2")))
    shelf = Shelf()
    shelf.put_artifact("run-2", "plan", "scope", asdict(Scope("ds-1", ("A", "B"))))
    found = sense(state_of(trigger=trigger(item_ids=["B"])), runtime_of(sensing(operations, warehouse=shelf)))
    assert found["item_ids"] == ["A", "B"]
    assert [(line.item_id, line.planned_by) for order in found["kept"] for line in order.lines] == [("A", "run-2")]
    assert scope_of(state_of(**found)) == Scope("ds-1", ("B",), beside=(("A|S1", 10.0),))


def test_alerts_in_force_are_heeded_before_the_new_ones_and_each_once(operations: Operations) -> None:
    """One that was told again counts as it is told now; one whose time is over counts no more."""
    told = {"a-1": alert("a-1", "A"), "a-2": alert("a-2", "A"), "a-0": alert("a-0", "A", until=date(2026, 3, 1))}
    for name, typed in told.items():
        operations.receive(name, "alert", {"typed": typed}, "webhook")
        operations.finish_inbox(name)
    again, new = alert("a-1", "B", delay_days=9), alert("a-3", "B")
    found = sense(state_of(trigger=trigger(alerts=[again, new])), runtime_of(sensing(operations)))
    assert found["alerts"] == [told["a-2"], again, new]
    assert found["item_ids"] == ["B"]


@pytest.mark.parametrize(("currency", "budget"), [("USD", 100.0), ("JPY", 10_000.0)])
def test_a_run_may_spend_what_the_policy_leaves(operations: Operations, currency: str, budget: float) -> None:
    context = sensing(operations, dataset={"currency": currency}, rules=rules_with(budget_cents=10_000))
    assert sense(state_of(), runtime_of(context))["budget"] == budget


class EstimatingDesk(KnownDesk):
    """A desk whose stored estimates say of which items they were made."""

    def __init__(self, dataset: Dataset) -> None:
        super().__init__(dataset)
        patterns = {"A": DemandPattern.LUMPY, "B": DemandPattern.SMOOTH, "C": DemandPattern.SMOOTH}
        self.forecasts = [
            SimpleNamespace(item_id=item, site_id="MAIN", pattern=pattern) for item, pattern in patterns.items()
        ]

    def current_estimates(self, version: str) -> str:
        return {"ds-1": "est-1"}[version]

    def estimates(self, scope: Scope) -> Any:
        assert scope == Scope("ds-1", ("A", "C"), estimate_version="est-1")
        return SimpleNamespace(forecasts=self.forecasts)


def test_a_run_pins_its_estimates_and_stores_what_it_plans_with(operations: Operations) -> None:
    """How many of its items have which pattern of demand, the most frequent first."""
    desk, shelf = EstimatingDesk(dataset_with(offers=(OFFER, OTHER))), Shelf()
    context = context_of(operations, shelf=shelf, desk=desk)
    found = estimate(state_of(item_ids=["A", "C"]), runtime_of(context))
    assert found == {"estimate_version": "est-1"}
    assert shelf.artifacts == {("run-1", "estimate", "patterns"): {"smooth": 2, "lumpy": 1}}
    assert list(shelf.artifacts["run-1", "estimate", "patterns"]) == ["smooth", "lumpy"]
    assert operations.run("run-1").versions == {"estimate": "est-1"}


def test_the_drift_of_a_runs_items_is_judged_on_its_own_estimates(monkeypatch: pytest.MonkeyPatch) -> None:
    desk = EstimatingDesk(dataset_with(offers=(OFFER, OTHER)))
    context = context_of(desk=desk)

    def drift(run_id: str, dataset: Dataset, forecasts: Any, item_ids: list[str], seen: Context) -> dict[str, Any]:
        assert seen is context and dataset is desk.dataset("ds-1")
        return {"of": (run_id, len(forecasts), item_ids)}

    monkeypatch.setattr(gates, "stored_drift", drift)
    found = gate_drift(state_of(item_ids=["A", "C"], estimate_version="est-1"), runtime_of(context))
    assert found == {"drift": {"of": ("run-1", 3, ("A", "C"))}}
