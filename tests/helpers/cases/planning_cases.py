"""A desk that knows one plan, and agents that answer as they are told, for tests of a run's nodes."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from gate_cases import KnownDesk, dataset_with
from order_cases import DAY
from sandbox_world import OFFER, OTHER

from graph.computation.desk import Scope
from tools.domain.orders import Intent
from tools.domain.plans import CostParts, Explanation, ItemOutlook, OrderPlan, PlanLine, PlanOption
from tools.domain.snapshots import OrderingSettings
from tools.network import ItemExposure

SCOPE = Scope("ds-1", ("A", "B"))
RULED = {"decided_by": "rules", "fallback_reason": "", "model": "", "tokens_in": 0, "tokens_out": 0}
ARRIVAL = date(2026, 3, 22)


def plan_line(item_id: str, quantity: float, price: float, **known: Any) -> PlanLine:
    offer = {"A": OFFER, "B": OTHER}[item_id]
    plain = {
        "line_id": f"{item_id}#0",
        "intent": Intent.PLACE,
        "item_id": item_id,
        "site_id": "MAIN",
        "supplier_id": "S1",
        "offer_id": offer.offer_id,
        "quantity": quantity,
        "period": 0,
        "order_date": DAY,
        "expected_arrival": ARRIVAL,
        "unit_price": price,
        "freight_per_unit": 0.0,
        "fixed_order_cost": 0.0,
        "explanation": Explanation("(s, S)", "up to S", {}),
    }
    return PlanLine(**{**plain, **known})


LINES = (plan_line("A", 100.0, 2.5), plan_line("B", 5000.0, 4.0))
OUTLOOKS = [
    ItemOutlook(item, "MAIN", 10.0, 0, 0, 0, CostParts(), 0.02, 1.0, [[1.0], [2.0], [3.0]], 9.0, "", "")
    for item in ("A", "B")
]
PLAN = OrderPlan("hash", OrderingSettings(), "USD", LINES, (), OUTLOOKS, CostParts(purchase=20_250.0), 20_000.0)
OPTIONS = tuple(
    PlanOption(
        f"high/{profile}",
        "high",
        profile,
        f"{profile} of high",
        ("A", "B"),
        value,
        cost,
        0.99,
        0.02,
        70.0,
        suppliers,
        tuple((line.offer_id, line.quantity) for line in LINES),
    )
    for profile, value, cost, suppliers in [
        ("balanced", 20_250.0, CostParts(purchase=20_250.0, holding=50.0), ("S1",)),
        ("lean", 10_000.0, CostParts(purchase=10_000.0, shortage=900.0), ("S1", "S2")),
    ]
)


class PlanningDesk(KnownDesk):
    """A desk that knows one scope: its exposures, its options, and what the balanced one orders."""

    def __init__(self, *exposures: ItemExposure, scope: Scope = SCOPE, dataset: Any = None) -> None:
        super().__init__(dataset or dataset_with())
        self._exposures = {scope: exposures}
        self._scope = scope

    def exposures(self, scope: Scope) -> Sequence[ItemExposure]:
        return self._exposures[scope]

    def options(self, scope: Scope) -> Sequence[PlanOption]:
        return {self._scope: OPTIONS}[scope]

    def plan(self, scope: Scope, chosen: Mapping[str, str]) -> Any:
        return {(self._scope, "high/balanced"): PLAN}[scope, chosen["high"]]

    def reservation_prices(
        self, scope: Scope, chosen: Mapping[str, str], line_ids: frozenset[str]
    ) -> Mapping[str, float]:
        known = {(self._scope, "high/balanced"): {"A#0": 2.0}}[scope, chosen["high"]]
        return {line_id: known[line_id] for line_id in line_ids & known.keys()}


class Told:
    """An agent that notes what it was asked and answers as it is told."""

    def __init__(self, answer: Any) -> None:
        self._answer = answer
        self.asked: list[Any] = []

    def assess(self, brief: Any) -> Any:
        self.asked.append(brief)
        return self._answer

    choose = assess

    def negotiate(self, brief: Any, other: Any) -> Any:
        self.asked.append((brief, other))
        return self._answer
