"""An installation as the nodes of a run see it: a real ledger of orders, a desk that knows one plan, a shelf."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, cast

from langgraph.runtime import Runtime
from order_cases import line_of
from sandbox_world import START, small_dataset

from graph.computation.desk import DeskSettings, Scope
from graph.context import Context
from graph.run.cancelling import Cancels
from graph.run.state import RunState
from policies.gates import RuleSet, default_rules, load_rules
from store.operations import Operations
from tools.domain.catalogue import Autonomy, Supplier
from tools.domain.datasets import Dataset, Period
from tools.domain.orders import Order, OrderLine

RULES = default_rules()
NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
PERIOD = Period.WEEK
TRIGGER = {"kind": "plan", "actor": "ana"}
CHOSEN = {"high": "high/balanced"}


class KnownDesk:
    """A desk of one dataset; a plan is the scope and the choice that it was asked for."""

    settings = DeskSettings()

    def __init__(self, dataset: Dataset) -> None:
        self._dataset = dataset

    def dataset(self, version: str) -> Dataset:
        return {self._dataset.version: self._dataset}[version]

    def period(self, version: str) -> Period:
        return {self._dataset.version: PERIOD}[version]

    def plan(self, scope: Scope, chosen: Mapping[str, str]) -> tuple[Scope, Mapping[str, str]]:
        return scope, chosen

    def priced(self, scope: Scope, chosen: Mapping[str, str]) -> tuple[Scope, Mapping[str, str]]:
        return scope, chosen


class Shelf:
    """Artifacts by run, kind and key, and the files that a dataset version was imported from."""

    def __init__(self, *sources: tuple[int, int]) -> None:
        self._sources = [SimpleNamespace(rows=rows, rejected=rejected) for rows, rejected in sources]
        self.artifacts: dict[tuple[str, str, str], Any] = {}

    def lineage(self, version: str) -> list[SimpleNamespace]:
        return {"ds-1": self._sources}[version]

    def put_artifact(self, run_id: str, kind: str, key: str, stored: Any) -> None:
        self.artifacts[run_id, kind, key] = stored

    def put_artifacts(self, run_id: str, kind: str, rows: Mapping[str, Any], alone: bool = False) -> None:
        if alone:
            self.artifacts = {key: kept for key, kept in self.artifacts.items() if key[:2] != (run_id, kind)}
        self.artifacts |= {(run_id, kind, key): stored for key, stored in rows.items()}

    def drop_artifacts(self, run_id: str) -> None:
        self.artifacts = {key: kept for key, kept in self.artifacts.items() if key[0] != run_id}

    def artifact(self, run_id: str, kind: str, key: str) -> Any:
        return self.artifacts.get((run_id, kind, key))

    def artifacts_named(self, names: Collection[tuple[str, str]], kind: str) -> dict[tuple[str, str], Any]:
        found = {(run_id, key): self.artifact(run_id, kind, key) for run_id, key in names}
        return {name: stored for name, stored in found.items() if stored is not None}


def dataset_with(least: float = 0.0, **changed: Any) -> Dataset:
    """The small dataset, whose supplier takes no order below `least`."""
    suppliers = {"S1": Supplier(supplier_id="S1", min_order_value=least)}
    return replace(small_dataset(), **{"suppliers": suppliers, "stock_as_of": {("A", "MAIN"): START}, **changed})


def rules_with(**limits: int) -> RuleSet:
    """The built-in rules with other limits."""
    text = RULES.text
    for name, value in limits.items():
        text = text.replace(f"  {name}: {RULES.limits[name]}", f"  {name}: {value}")
    return load_rules(text)


def context_of(
    operations: Operations | None = None,
    *,
    dataset: Dataset | None = None,
    shelf: Shelf | None = None,
    rules: RuleSet = RULES,
    **others: Any,
) -> Context:
    """`others`: a desk, agents or counterparties of a test's own."""
    parts = {
        "desk": KnownDesk(dataset or dataset_with()),
        "warehouse": shelf or Shelf(),
        "operations": operations,
        "rules": rules,
        "now": lambda: NOW,
        "cancels": Cancels(),
        **others,
    }
    return cast(Context, SimpleNamespace(**parts))


def runtime_of(context: Context) -> Runtime[Context]:
    return Runtime(context=context)


def state_of(**known: Any) -> RunState:
    """The state of run-1 on the small dataset, as far as a node needs it."""
    plain = {"run_id": "run-1", "dataset_version": "ds-1", "trigger": TRIGGER, "supply": 0, "item_ids": ["A", "B"]}
    return cast(RunState, {**plain, **known})


def draft_of(*lines: OrderLine, supplier_id: str = "S1", **known: Any) -> Order:
    """An order of run-1 as a plan drafts it."""
    plain = {"order_key": f"run-1/{supplier_id}/MAIN", "run_id": "run-1", "site_id": "MAIN", "currency": "USD"}
    return Order.model_validate({**plain, "supplier_id": supplier_id, "lines": lines, **known})


def automatic(item_id: str, quantity: float = 10.0, **known: Any) -> OrderLine:
    """A line that leaves by itself where it is small."""
    return leveled(item_id, Autonomy.AUTO, quantity, **known)


def leveled(item_id: str, level: Autonomy, quantity: float = 10.0, **known: Any) -> OrderLine:
    return line_of(item_id, quantity).model_copy(update={"autonomy": level, **known})


def verdict_of(rule: str, effect: str = "warn", *, subject: str = "plan", tier: str = "") -> dict[str, Any]:
    """A stored verdict."""
    told = {"limit": "1", "actual": "2", "policy_version": RULES.version}
    return {"gate": "g", "rule": rule, "subject": subject, "effect": effect, "reason": f"{rule}.", "tier": tier, **told}


def rules_that_fired(order: Order) -> Sequence[str]:
    return [verdict.rule for verdict in order.route.verdicts]
