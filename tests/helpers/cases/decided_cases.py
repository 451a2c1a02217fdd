"""Plans of a small world after a person decided on its lines, and what the ledger and the desk tell of them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import orjson
from order_cases import line_of
from sandbox_world import small_dataset

from graph.computation.desk import Scope
from graph.context import Context
from graph.facts.decided_lines import with_decisions
from policies.material import Materiality
from tools.domain.alerts import Alert, AlertKind
from tools.domain.catalogue import Offer, PriceBreak, Supplier
from tools.domain.datasets import Dataset
from tools.domain.decisions import LineDecision, LineKey, LineRuling
from tools.domain.orders import Order, OrderLine
from tools.domain.plans import CostParts, ItemOutlook, OrderPlan
from tools.domain.snapshots import OrderingSettings
from tools.network import build_graph, propagate
from tools.network.disruption import Disruption

CHOSEN = {"high": "high/balanced"}
BREAKS = (PriceBreak(quantity=700, unit_price=2.0),)
OFFERS = (
    Offer(item_id="A", supplier_id="S2", unit_price=3.0, lead_time_days=5, moq=1000),
    Offer(item_id="A", supplier_id="S1", unit_price=2.5, lead_time_days=20, moq=300, price_breaks=BREAKS),
    Offer(item_id="B", supplier_id="S1", unit_price=2.0, lead_time_days=12, moq=0),
)
ALERT = Alert(
    alert_id="a-2", kind=AlertKind.DELAY, node_id="S1", delay_days=4, received_at=datetime(2026, 3, 2, 8, tzinfo=UTC)
)
REJECTED = "bob rejected 800 on 2026-03-01 (too dear)"
EDITED = "bob changed 800 to 400 on 2026-03-01 (too dear)"
STAYS = "; nothing material changed since (the plan computes 800), so it stays so."
NOT_AGAIN = "; nothing material changed since, so 800 are not proposed again."


class KnownDesk:
    """A desk of one dataset that notes what it was asked to work out.

    `beside` are units by offer id that are needed beside what was turned down; whatever is asked for, if None.
    """

    def __init__(self, dataset: Dataset, beside: Mapping[str, float] | None = None) -> None:
        self._dataset = dataset
        self._beside = beside
        self.asked: list[Scope] = []
        self.withheld: list[list[tuple[str, float]]] = []

    def dataset(self, version: str) -> Dataset:
        return {"ds-1": self._dataset}[version]

    def units_asked_beside(
        self, scope: Scope, chosen: Mapping[str, str], withheld: Sequence[tuple[str, float]]
    ) -> Mapping[str, float]:
        assert chosen == CHOSEN
        self.withheld.append(list(withheld))
        return {offer.offer_id: 1e9 for offer in OFFERS} if self._beside is None else self._beside

    def disruption(self, scope: Scope) -> Disruption:
        self.asked.append(scope)
        return propagate(build_graph(self._dataset), scope.typed_alerts, self._dataset, self._dataset.as_of)


class Remembered:
    """A ledger that remembers these decisions, and what was bought of their lines since."""

    def __init__(self, decisions: Sequence[LineDecision], bought: Mapping[LineKey, float]) -> None:
        self._decisions = {made.key: made for made in decisions}
        self._bought = bought

    def line_decisions(self) -> dict[LineKey, LineDecision]:
        return self._decisions

    def bought_since(self, decisions: Iterable[LineDecision]) -> dict[LineKey, float]:
        return {made.key: self._bought[made.key] for made in decisions if made.key in self._bought}


def dataset() -> Dataset:
    suppliers = {name: Supplier(supplier_id=name) for name in ("S1", "S2", "S3")}
    return replace(small_dataset(), offers=OFFERS, suppliers=suppliers)


def plan(risk: float = 0.02) -> OrderPlan:
    """A plan under which either item runs out with this probability."""
    outlooks = [
        ItemOutlook(item_id, "MAIN", 0, 0, 0, 0, CostParts(), risk, 1.0, np.zeros((3, 1)), 0, "", "")
        for item_id in ("A", "B")
    ]
    return OrderPlan("hash", OrderingSettings(), "USD", (), (), outlooks, CostParts(), 0.0)


def decided(units: float = 0.0, **changed: Any) -> LineDecision:
    """What bob decided of 800 units of A from S1: a rejection, or an edit to so many units."""
    made = LineDecision(
        approval_id="ap-1",
        order_key="run-1/S1/MAIN",
        line_id="A#0",
        item_id="A",
        site_id="MAIN",
        supplier_id="S1",
        ruling=LineRuling.EDIT if units else LineRuling.REJECT,
        proposed_units=800.0,
        decided_units=units,
        list_price=2.0,
        stockout_bp=200,
        actor="bob",
        reason="too dear",
        alert_ids=frozenset({"a-1"}),
        decided_on=date(2026, 3, 1),
    )
    return replace(made, **changed)


def line(item_id: str = "A", quantity: float = 800.0, supplier_id: str = "S1", price: float = 2.0) -> OrderLine:
    offer = next(one for one in OFFERS if (one.item_id, one.supplier_id) == (item_id, supplier_id))
    changed = {"offer_id": offer.offer_id, "notes": ("as computed",)}
    return line_of(item_id, quantity, price=price).model_copy(update=changed)


def drafted(*lines: OrderLine, supplier_id: str = "S1", changes: str = "") -> Order:
    return Order(
        order_key=f"run-2/{supplier_id}/MAIN{changes}",
        run_id="run-2",
        supplier_id=supplier_id,
        site_id="MAIN",
        currency="USD",
        changes=changes,
        lines=lines,
        proposed_by=("ana",),
    )


def after(
    decisions: Sequence[LineDecision],
    *orders: Order,
    bought: float = 0.0,
    risk: float = 0.02,
    alerts: Sequence[Alert] = (),
    desk: KnownDesk | None = None,
) -> tuple[list[Order], list[Order]]:
    """The proposed and the held orders of a plan that was drafted after these decisions."""
    parts = SimpleNamespace(
        desk=desk or KnownDesk(dataset()),
        operations=Remembered(decisions, {made.key: bought for made in decisions} if bought else {}),
        materiality=Materiality(),
    )
    told = orjson.dumps([alert.model_dump(mode="json") for alert in alerts]).decode()
    return with_decisions(orders, plan(risk), Scope("ds-1", ("A", "B"), told), CHOSEN, cast(Context, parts))


def only_line(orders: Sequence[Order]) -> OrderLine:
    (order,) = orders
    (found,) = order.lines
    return found


def of_offer(offer: Offer, quantity: float) -> OrderLine:
    made = line_of("A", quantity, price=2.0)
    return made.model_copy(update={"offer_id": offer.offer_id, "line_id": f"{offer.offer_id}#0"})
