"""Faults of a snapshot are named with item or offer, field and remedy; what is merely odd has a defined meaning."""

from dataclasses import replace

import numpy as np
import pytest

from benchmarks.cases.planning_worlds import Terms, random_snapshot, snapshot_of_paths
from tools.domain.errors import BadInput
from tools.domain.snapshots import OrderingSettings, PlanningSnapshot, SharedLimits
from tools.ordering import plan_orders, verify
from tools.ordering.problem.validation import check_snapshot, first_fault

SNAPSHOT = random_snapshot(3, seed=4, paths=16, horizon=6)


def with_value(name: str, value: float, place: int = 1) -> PlanningSnapshot:
    """The snapshot with one entry of an array of items or of sources changed."""
    table = SNAPSHOT if hasattr(SNAPSHOT, name) else SNAPSHOT.sources
    column = getattr(table, name).astype(np.float64)
    column.reshape(column.shape[0], -1)[place, 0] = value
    if table is SNAPSHOT:
        return replace(SNAPSHOT, **{name: column})
    return replace(SNAPSHOT, sources=replace(table, **{name: column}))


ITEM_FAULTS = [
    ("demand", np.nan),
    ("demand", -1.0),
    ("demand", np.inf),
    ("arrivals", np.nan),
    ("arrivals", -2.0),
    ("on_hand", np.nan),
    ("on_hand", np.inf),
    ("unit_value", -1.0),
    ("holding_cost", -0.1),
    ("holding_cost", np.nan),
    ("shortage_cost", -1.0),
    ("service_level", 1.2),
    ("storage_volume", np.nan),
    ("shelf_life_periods", -1.0),
    ("lost_share", 1.5),
    ("fill_rate_target", -0.1),
    ("frozen_periods", -1),
]


@pytest.mark.parametrize(("field", "value"), ITEM_FAULTS)
def test_a_faulty_item_is_named_with_its_field_and_what_was_expected(field, value):
    with pytest.raises(BadInput, match="I001.*expected") as caught:
        plan_orders(with_value(field, value))
    assert caught.value.context["item_id"] == "I001"
    assert field in str(caught.value.context["field"])
    assert "I001" in caught.value.remedy


OFFER_FAULTS = [
    ("unit_price", -1.0),
    ("unit_price", np.nan),
    ("freight_per_unit", np.inf),
    ("fixed_order_cost", -5.0),
    ("moq", np.nan),
    ("moq", -1.0),
    ("order_multiple", np.inf),
    ("max_quantity", np.nan),
    ("capacity_per_period", -1.0),
    ("lead_time", 0.4),
    ("lead_time", np.nan),
    ("yield_rate", 0.0),
    ("break_price", np.nan),
    ("break_quantity", -1.0),
]


@pytest.mark.parametrize(("field", "value"), OFFER_FAULTS)
def test_a_faulty_offer_is_named_with_its_field_and_what_was_expected(field, value):
    with pytest.raises(BadInput, match="expected") as caught:
        plan_orders(with_value(field, value, place=0))
    assert caught.value.context["offer_id"] == SNAPSHOT.sources.offer_ids[0]
    assert caught.value.context["field"] == field


def test_an_item_with_neither_shortage_cost_nor_service_level_is_refused():
    with pytest.raises(BadInput, match="I001.*shortage_cost and service_level"):
        plan_orders(with_value("shortage_cost", np.nan))


def test_break_points_must_ascend():
    terms = [Terms(price=1.0, breaks=((20.0, 0.9), (10.0, 0.8)))]
    with pytest.raises(BadInput, match=r"break_quantity.*ascend"):
        plan_orders(one_item(terms))


SHAPE_FAULTS = {
    "demand": {"demand": SNAPSHOT.demand[:2]},
    "arrivals": {"arrivals": SNAPSHOT.arrivals[:, :, :3]},
    "on_hand": {"on_hand": SNAPSHOT.on_hand[:2]},
    "site_ids": {"site_ids": ("MAIN",)},
    "no periods": {"demand": SNAPSHOT.demand[:, :, :0], "arrivals": SNAPSHOT.arrivals[:, :, :0]},
    "no paths": {"demand": SNAPSHOT.demand[:, :0], "arrivals": SNAPSHOT.arrivals[:, :0]},
    "flat": {"demand": SNAPSHOT.demand[0]},
}


@pytest.mark.parametrize("case", SHAPE_FAULTS)
def test_arrays_that_disagree_are_refused(case):
    with pytest.raises(BadInput, match="snapshot: .*expected"):
        plan_orders(replace(SNAPSHOT, **SHAPE_FAULTS[case]))


def test_sources_out_of_order_or_of_nobody_are_refused():
    sources = SNAPSHOT.sources
    for changes in (
        {"item": sources.item[::-1].copy()},
        {"item": sources.item + 3},
        {"supplier": sources.supplier - 9},
        {"moq": sources.moq[:2]},
        {"path_delay": np.full((9, 16), -1)},
        {"path_delay": np.zeros((9, 2), dtype=np.int64)},
    ):
        with pytest.raises(BadInput):
            plan_orders(replace(SNAPSHOT, sources=replace(sources, **changes)))


LIMIT_FAULTS = [
    {"budget": np.nan},
    {"storage": np.nan},
    {"max_orders": np.nan},
    {"supplier_capacity": np.ones(2)},
    {"supplier_capacity": np.full(5, np.nan)},
    {"supplier_max_share": np.full(5, -0.5)},
    {"joint_order_cost": np.full(5, np.nan)},
    {"supplier_capacity_by_period": np.ones((2, 6))},
    {"supplier_capacity_by_period": np.full((5, 6), np.nan)},
    {"budget_by_period": np.array([1.0, np.nan])},
    {"max_orders_by_period": np.ones((2, 2))},
]


@pytest.mark.parametrize("limits", LIMIT_FAULTS)
def test_limits_that_are_no_numbers_or_of_the_wrong_length_are_refused(limits):
    with pytest.raises(BadInput, match="expected"):
        plan_orders(replace(SNAPSHOT, limits=SharedLimits(**limits)))


@pytest.mark.parametrize(
    "settings",
    [
        {"review_periods": 0},
        {"shortage_weight": -1.0},
        {"max_share": 0.0},
        {"max_cover_periods": np.nan},
        {"cvar_weight": 1.5},
        {"cvar_level": 1.0},
    ],
)
def test_settings_out_of_range_are_refused(settings):
    with pytest.raises(BadInput, match="Ordering settings"):
        plan_orders(SNAPSHOT, OrderingSettings(**settings))


def test_a_sound_snapshot_passes_and_a_fault_deep_in_large_paths_is_found():
    check_snapshot(SNAPSHOT, OrderingSettings())
    large = random_snapshot(2, seed=1, paths=20_000, horizon=30)
    check_snapshot(large, OrderingSettings())
    large.demand[1, 19_999, 29] = np.nan
    with pytest.raises(BadInput, match="I001: demand in period 29 of sample path 19999"):
        check_snapshot(large, OrderingSettings())
    assert first_fault(np.array([0.0, 1.0, np.inf])) == 2
    assert first_fault(np.array([0.0, 1.0])) == -1


def one_item(terms: list[Terms], demand: float = 10.0, on_hand: float = 0.0, **changes) -> PlanningSnapshot:
    """One item that needs `demand` a week for six weeks; a unit short costs 5 a week, one held 0.1."""
    return snapshot_of_paths(
        np.full((1, 8, 6), demand), terms, on_hand=[on_hand], holding=[0.1], shortage=[5.0], suppliers=2, **changes
    )


def quantities(snapshot: PlanningSnapshot, settings: OrderingSettings | None = None) -> dict[str, float]:
    plan = plan_orders(snapshot, settings)
    assert verify(snapshot, plan) == ()
    assert np.isfinite(plan.cost.total)
    return {line.supplier_id: line.quantity for line in plan.lines}


def test_a_lead_time_of_nothing_orders_this_weeks_need_this_week():
    assert quantities(one_item([Terms(price=1.0)])) == {"S00": 10.0}


def test_a_lead_time_beyond_the_horizon_is_not_waited_for_where_another_source_lands():
    never = Terms(price=1.0, lead_time=(0.0,) * 20 + (1.0,))
    assert quantities(one_item([never, Terms(supplier=1, price=2.0)])) == {"S01": 10.0}
    alone = plan_orders(one_item([never]))
    assert verify(one_item([never]), alone) == ()
    assert alone.outlooks[0].fill_rate == 0.0


def test_an_moq_above_all_need_is_ordered_only_where_being_short_costs_more():
    terms = [Terms(price=1.0, moq=150.0)]
    assert quantities(one_item(terms)) == {"S00": 150.0}
    assert quantities(one_item([Terms(price=1.0, moq=60_000.0)])) == {}
    assert quantities(one_item(terms, on_hand=60.0)) == {}


def test_a_price_that_rises_at_a_break_is_avoided_or_paid_but_never_mistaken():
    rising = [Terms(price=1.0, fixed_cost=8.0, breaks=((25.0, 3.0),))]
    (quantity,) = quantities(one_item(rising)).values()
    assert 10 <= quantity < 25
    forced = one_item([Terms(price=1.0, moq=30.0, breaks=((25.0, 3.0),))])
    (line,) = plan_orders(forced).lines
    assert line.unit_price == 3.0
    assert verify(forced, plan_orders(forced)) == ()


def test_an_item_without_a_source_gets_no_order_and_a_sentence():
    snapshot = one_item([])
    plan = plan_orders(snapshot)
    assert plan.lines == ()
    assert verify(snapshot, plan) == ()
    assert "no source" in plan.conflicts[0]


def test_no_demand_for_ever_orders_nothing_but_what_is_owed():
    assert quantities(one_item([Terms(price=1.0)], demand=0.0)) == {}
    assert quantities(one_item([Terms(price=1.0)], demand=0.0, on_hand=-7.0)) == {"S00": 7.0}


@pytest.mark.parametrize(
    "limits",
    [
        SharedLimits(budget=0.0),
        SharedLimits(budget=-10.0),
        SharedLimits(max_orders=0.0),
        SharedLimits(supplier_capacity=np.zeros(2)),
        SharedLimits(supplier_capacity=np.full(2, -4.0)),
        SharedLimits(budget_by_period=np.zeros(6)),
        SharedLimits(supplier_capacity_by_period=np.zeros((2, 6))),
        SharedLimits(max_orders_by_period=np.zeros(6)),
    ],
)
def test_limits_of_nothing_order_nothing(limits):
    snapshot = one_item([Terms(price=1.0, lead_time=(0.5, 0.5))], limits=limits, volume=1.0)
    plan = plan_orders(snapshot)
    assert plan.lines == ()
    assert plan.conflicts
    assert plan.lower_bound <= plan.cost.total
    assert verify(snapshot, plan) == ()


@pytest.mark.parametrize(
    "terms", [{"moq": 50.0, "largest": 20.0}, {"moq": 50.0, "capacity": 20.0}, {"multiple": 50.0, "largest": 20.0}]
)
def test_a_source_whose_terms_leave_no_quantity_is_passed_over_and_said(terms):
    snapshot = one_item([Terms(price=1.0, **terms), Terms(supplier=1, price=2.0)])
    assert quantities(snapshot) == {"S01": 10.0}
    (said,) = plan_orders(snapshot).conflicts
    assert said.startswith(f"No quantity can be ordered from {snapshot.sources.offer_ids[0]}")
    assert "smaller MOQ" in said


def test_a_source_without_capacity_is_passed_over():
    assert quantities(one_item([Terms(price=1.0, capacity=0.0), Terms(supplier=1, price=2.0)])) == {"S01": 10.0}


def test_an_order_is_enlarged_by_what_does_not_arrive_usable():
    snapshot = one_item([Terms(price=1.0)])
    half = replace(snapshot, sources=replace(snapshot.sources, yield_rate=np.array([0.5])))
    assert quantities(half) == {"S00": 20.0}


def test_an_offer_that_opens_later_is_not_ordered_from_today_but_waited_for_where_it_pays():
    cheap = Terms(price=1.0, orderable=False)
    snapshot = one_item([cheap, Terms(supplier=1, price=30.0)], on_hand=10.0)
    opens = replace(snapshot, sources=replace(snapshot.sources, first_period=np.array([1, 0])))
    assert quantities(opens) == {}
    shut = plan_orders(replace(opens, sources=replace(opens.sources, first_period=np.array([0, 0]))))
    later = plan_orders(opens)
    assert later.cost.total < shut.cost.total
