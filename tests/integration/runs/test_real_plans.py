"""Plans of the real distribution centre: every item decided, every figure recomputable, every split with a cause."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

import numpy as np
import pytest
from shared_data import shared_data

from graph.computation.desk import Desk, DeskSettings, Scope
from graph.facts.line_facts import Ledger, line_facts
from graph.facts.records import orders
from policies.gates import Effect, decide, default_rules, evaluate
from store.ingest import import_folder
from store.warehouse import Warehouse
from tools.domain.datasets import Dataset
from tools.domain.orders import Intent, OpenOrderStatus, OrderLine, PurchaseOrder
from tools.domain.plans import OrderPlan, PlanLine
from tools.domain.snapshots import OrderingSettings, PlanningSnapshot
from tools.lead_times import LeadTimeDistribution, estimate_lead_times
from tools.ordering import build_snapshot, days_short_before, plan_orders, verify
from tools.ordering.problem.levels import draw_leads

AS_OF = date(2013, 12, 31)
HORIZON = 26


@dataclass(frozen=True)
class Room:
    """The real folder, planned once."""

    desk: Desk
    scope: Scope
    dataset: Dataset
    snapshot: PlanningSnapshot
    plan: OrderPlan

    def replanned(self, dataset: Dataset, leads: Mapping[str, LeadTimeDistribution] | None = None) -> OrderPlan:
        """A plan of changed data, or of other lead times, with the same forecasts."""
        estimates = self.desk.estimates(self.scope)
        return plan_orders(build_snapshot(dataset, estimates.forecasts, leads or self.leads, horizon=HORIZON))

    @property
    def leads(self) -> dict[str, LeadTimeDistribution]:
        return dict(self.desk.lead_times(self.scope.dataset_version))


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Room]:
    with Warehouse(tmp_path_factory.mktemp("real") / "w.duckdb") as warehouse:
        version = import_folder(shared_data("demo_rdc"), AS_OF, warehouse).version
        assert version is not None
        desk = Desk(warehouse, DeskSettings(horizon_periods=HORIZON))
        dataset = desk.dataset(version)
        scope = Scope(version, tuple(dataset.items))
        snapshot = desk.snapshot(scope)
        yield Room(desk, scope, dataset, snapshot, plan_orders(snapshot))


def test_all_fourteen_items_are_planned_with_a_reason_and_figures(room: Room) -> None:
    assert [outlook.item_id for outlook in room.plan.outlooks] == sorted(room.dataset.items)
    assert len(room.plan.outlooks) == 14
    ordered = {line.item_id for line in room.plan.lines if line.intent is not Intent.CANCEL}
    for outlook in room.plan.outlooks:
        begins = "Order " if outlook.item_id in ordered else "Order nothing now"
        assert outlook.reason.startswith(begins)
        assert "against a level of" in outlook.reason
        assert room.dataset.items[outlook.item_id].service_level_target == 0.95
    assert verify(room.snapshot, room.plan) == ()


def test_every_line_shows_a_formula_and_figures_that_can_be_recomputed(room: Room) -> None:
    leads = draw_leads(room.snapshot, OrderingSettings().seed)
    total = np.cumsum(room.snapshot.demand, axis=2)
    for line in placed(room.plan):
        row = room.snapshot.sources.offer_ids.index(line.offer_id)
        item, figures = room.snapshot.item_ids.index(line.item_id), line.explanation.figures
        last = np.minimum(leads[row] + 1, room.snapshot.horizon) - 1
        window = total[item, np.arange(last.size), last]
        assert figures["lead_time_demand_mean"] == pytest.approx(window.mean(), rel=1e-6)
        level = figures["reorder_point"]
        assert (window < level - 1e-6).mean() < figures["quantile"] <= (window <= level + 1e-6).mean()
        assert figures["safety_stock"] == pytest.approx(figures["reorder_point"] - window.mean(), rel=1e-6)
        due = np.cumsum(room.snapshot.arrivals[item], axis=1)[np.arange(last.size), last].mean()
        assert figures["inventory_position"] == pytest.approx(room.snapshot.on_hand[item] + due, rel=1e-6)
        assert "quantile" in line.explanation.formula
        assert figures["quantity"] == line.quantity


def test_the_shortage_cost_and_the_quantile_follow_from_the_service_level(room: Room) -> None:
    for line in placed(room.plan):
        item, figures = room.dataset.items[line.item_id], line.explanation.figures
        holding = item.unit_value * item.holding_rate_per_year / 12
        assert figures["holding_cost_per_unit_period"] == pytest.approx(holding)
        assert figures["shortage_cost_per_unit_period"] == pytest.approx(holding * 0.95 / 0.05)
        assert figures["quantile"] == pytest.approx(0.95)


def test_after_the_gap_that_the_opening_stock_leaves_nine_periods_in_ten_end_without_a_backorder(room: Room) -> None:
    assert min(outlook.ready_rate_later for outlook in room.plan.outlooks) > 0.9
    assert np.mean([outlook.ready_rate_later for outlook in room.plan.outlooks]) > 0.94, "later orders may be late too"


def test_arrivals_are_the_order_date_plus_the_lead_time_of_the_source(room: Room) -> None:
    for line in placed(room.plan):
        mean = room.leads[line.offer_id].mean
        assert line.order_date == AS_OF
        assert (line.expected_arrival - AS_OF).days == int(np.ceil(mean))


def test_an_item_is_split_where_a_faster_source_bridges_the_gap_before_a_cheaper_one_lands(room: Room) -> None:
    split = {item_id: lines for item_id, lines in by_item(room.plan).items() if len(lines) > 1}
    assert {"P01", "P02"} <= set(split)
    for item_id, lines in split.items():
        assert len({line.offer_id for line in lines}) == len(lines) <= 3
        if sum(offer.item_id == item_id for offer in room.dataset.offers) > len(lines):
            assert all(line.explanation.figures["extra_cost_of_next_best_source"] > 0 for line in lines)
    for item_id in ("P01", "P02"):
        early, *_, late = sorted(split[item_id], key=lambda line: line.expected_arrival)
        assert (late.expected_arrival - early.expected_arrival).days > 30
        assert late.unit_price + late.freight_per_unit < early.unit_price + early.freight_per_unit


def test_the_wholesaler_at_six_times_the_price_is_left_alone_while_a_shortage_costs_less(room: Room) -> None:
    assert not [line for line in placed(room.plan) if line.supplier_id == "S10"]


@pytest.mark.parametrize(("months_of_stock", "called"), [(0.0, True), (30.0, False)])
def test_the_wholesaler_is_called_only_when_stock_out_is_near_and_dear(
    room: Room, months_of_stock: float, called: bool
) -> None:
    """With the receipts' lead time of 46 days, and a pack short for a month taken to cost twice the dear price."""
    dear = room.dataset.items["P01"].model_copy(update={"stockout_cost_per_unit": 40.0, "service_level_target": None})
    monthly = float(room.snapshot.demand[room.snapshot.item_ids.index("P01")].mean())
    changed = replace(
        room.dataset,
        items={**room.dataset.items, "P01": dear},
        on_hand={**room.dataset.on_hand, ("P01", "RDC"): months_of_stock * monthly},
    )
    leads = estimate_lead_times(changed.offers, changed.receipts, (), AS_OF)
    lines = by_item(room.replanned(changed, leads)).get("P01", [])
    assert any(line.supplier_id == "S10" for line in lines) is called
    if called:
        assert any(line.supplier_id != "S10" for line in lines), "the rest of the need comes from an ordinary source"


def test_open_orders_older_than_any_receipt_lengthen_the_wholesalers_lead_time(room: Room) -> None:
    """Its receipts of 2008 to 2010 took at most 90 days; nine of its orders have been open for 140."""
    from_receipts = estimate_lead_times(room.dataset.offers, room.dataset.receipts, (), AS_OF)["P01|S10|truck|RDC"]
    with_open = room.leads["P01|S10|truck|RDC"]
    assert 35 <= from_receipts.quantile(0.5) <= 55
    assert with_open.quantile(0.9) > 140 > from_receipts.quantile(0.9)


def test_what_was_just_ordered_is_not_ordered_again(room: Room) -> None:
    fresh = tuple(
        PurchaseOrder(
            order_id=f"NEW{number}",
            item_id=line.item_id,
            supplier_id=line.supplier_id,
            site_id=line.site_id,
            quantity=line.quantity,
            order_date=AS_OF,
            promised_date=line.expected_arrival,
            status=OpenOrderStatus.SENT,
        )
        for number, line in enumerate(placed(room.plan))
    )
    again = room.replanned(replace(room.dataset, open_orders=room.dataset.open_orders + fresh))
    first = sum(line.value for line in placed(room.plan))
    assert sum(line.value for line in placed(again)) < 0.1 * first
    for item_id, lines in by_item(again).items():
        before = sum(line.quantity for line in by_item(room.plan).get(item_id, []))
        assert sum(line.quantity for line in lines) < 0.4 * before


def test_an_open_order_that_lands_long_after_the_need_changes_the_order_less_than_one_that_lands_before(
    room: Room,
) -> None:
    """An order for more than the whole need, due at once or only when it is two lead times late."""
    need = sum(line.quantity for line in by_item(room.plan)["P10"])

    def with_order(age_days: int, promised: date) -> float:
        order = PurchaseOrder(
            order_id="X1",
            item_id="P10",
            supplier_id="S99",
            site_id="RDC",
            quantity=1.5 * need,
            order_date=AS_OF - timedelta(days=age_days),
            promised_date=promised,
        )
        plan = room.replanned(replace(room.dataset, open_orders=(*room.dataset.open_orders, order)))
        return sum(line.quantity for line in by_item(plan).get("P10", []))

    soon = with_order(10, AS_OF + timedelta(days=20))
    late = with_order(10, AS_OF + timedelta(days=420))
    assert soon == 0.0
    assert late == pytest.approx(need, rel=0.35)


def test_the_same_data_give_the_same_plan_bit_for_bit(room: Room) -> None:
    again = plan_orders(room.snapshot)
    assert (again.lines, again.cost, again.lower_bound) == (room.plan.lines, room.plan.cost, room.plan.lower_bound)
    for one, other in zip(again.outlooks, room.plan.outlooks, strict=True):
        assert one.projected_stock.tobytes() == other.projected_stock.tobytes()


def test_the_gates_have_a_message_for_few_lines_and_deny_none(room: Room) -> None:
    rules, warned, lines = default_rules(), 0, 0
    for order in orders(room.plan, room.dataset, "run"):
        for line in order.lines:
            known = line_facts(line, room.plan, room.desk, room.scope, Ledger({}))
            verdicts = evaluate(known, rules)
            assert decide(verdicts) in (Effect.ALLOW, Effect.WARN), verdicts
            lines += 1
            warned += decide(verdicts) is Effect.WARN
            assert known.price_bp_of_last_paid == -1
            assert known.off_multiple == 0
            assert known.quantity >= known.moq
            assert 0 <= known.supplier_share_bp <= 10_000
            assert known.cover_before_days < known.cover_after_days
    assert lines == len(placed(room.plan))
    assert warned <= 0.6 * lines


def test_of_a_split_order_the_later_part_counts_the_earlier_as_cover_and_never_the_other_way(room: Room) -> None:
    """Whether it comes too late is told by what arrives before it; how long it covers, by all parts together."""
    found = {
        line.line_id: (line, line_facts(line, room.plan, room.desk, room.scope, Ledger({})))
        for order in orders(room.plan, room.dataset, "run")
        for line in order.lines
        if line.item_id == "P02"
    }
    early, *between, late = sorted(found.values(), key=lambda pair: pair[0].expected_arrival)

    def short(line: OrderLine, arrivals: Sequence[tuple[float, float]]) -> int:
        return int(days_short_before(room.snapshot, "P02", "RDC", day_of(line), arrivals))

    def day_of(line: OrderLine) -> int:
        return (line.expected_arrival - AS_OF).days

    assert early[1].days_late == short(early[0], [])
    before = [(day_of(line), line.quantity) for line, _ in (early, *between)]
    assert late[1].days_late == short(late[0], before) < short(late[0], [])
    assert early[1].cover_after_days == late[1].cover_after_days
    assert early[1].cover_before_days != late[1].cover_before_days


def test_the_last_price_of_an_own_order_is_compared_when_there_is_one(room: Room) -> None:
    line = orders(room.plan, room.dataset, "run")[0].lines[0]
    supplier = line.offer_id.split("|")[1]
    paid = Ledger({(line.item_id, supplier): line.unit_price / 1.3})
    known = line_facts(line, room.plan, room.desk, room.scope, paid)
    assert known.price_bp_of_last_paid == 13_000
    assert "price_over_last_paid" in {verdict.rule for verdict in evaluate(known, default_rules())}


def placed(plan: OrderPlan) -> list[PlanLine]:
    """Lines that order something now."""
    return [line for line in plan.lines if line.intent in (Intent.PLACE, Intent.EXPEDITE)]


def by_item(plan: OrderPlan) -> dict[str, list[PlanLine]]:
    """Lines that order something now, by item."""
    found: dict[str, list[PlanLine]] = {}
    for line in placed(plan):
        found.setdefault(line.item_id, []).append(line)
    return found
