from dataclasses import fields, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.cases.planning_worlds import Terms, random_snapshot, snapshot_of_paths
from tools.domain.errors import NotFound
from tools.domain.snapshots import OrderingSettings, SharedLimits
from tools.ordering import (
    PROFILES,
    Catalogue,
    SnapshotDelta,
    combine,
    plan_options,
    plan_orders,
    replan,
    snapshot_hash,
    verify,
)


@st.composite
def limited_problems(draw):
    n_items = draw(st.integers(1, 6))
    snapshot = random_snapshot(
        n_items,
        seed=draw(st.integers(0, 10_000)),
        paths=32,
        horizon=draw(st.integers(4, 14)),
        sources=draw(st.integers(1, 4)),
    )
    suppliers = len(snapshot.supplier_ids)
    need = float((snapshot.demand.mean(axis=(1, 2)) * 5).sum())
    limits = SharedLimits(
        budget=draw(st.sampled_from([np.inf, 0.0, 50.0, 500.0, 5_000.0])),
        storage=draw(st.sampled_from([np.inf, 0.0, 0.5 * need, 2 * need])),
        supplier_capacity=draw(st.sampled_from([np.empty(0), np.full(suppliers, 0.3 * need)])),
        supplier_min_order_value=draw(st.sampled_from([np.empty(0), np.full(suppliers, 300.0)])),
        supplier_max_share=draw(st.sampled_from([np.empty(0), np.full(suppliers, 0.6)])),
    )
    return replace(snapshot, limits=limits)


@settings(max_examples=40, deadline=None)
@given(limited_problems())
def test_any_plan_respects_every_limit_and_its_bound(snapshot):
    plan = plan_orders(snapshot)
    broken = {v.rule for v in verify(snapshot, plan)}
    assert broken <= ({"storage"} if any("over-full" in c for c in plan.conflicts) else set())
    assert plan.lower_bound <= plan.cost.total + 1e-6
    assert len(plan.outlooks) == snapshot.n_items


def test_the_same_problem_gives_the_same_plan():
    snapshot = random_snapshot(10, seed=8, limits=SharedLimits(budget=800.0))
    one, two = plan_orders(snapshot), plan_orders(snapshot)
    assert one.lines == two.lines
    assert one.cost == two.cost
    assert one.snapshot_hash == two.snapshot_hash


def test_the_hash_sees_every_change():
    snapshot = random_snapshot(3, seed=1, paths=16)
    moved = snapshot.demand.copy()
    moved[0, 0, 0] += 1e-9
    assert snapshot_hash(snapshot) == snapshot_hash(random_snapshot(3, seed=1, paths=16))
    assert snapshot_hash(snapshot) != snapshot_hash(replace(snapshot, demand=moved))
    assert snapshot_hash(snapshot) != snapshot_hash(replace(snapshot, limits=SharedLimits(budget=1.0)))


@pytest.mark.parametrize("part", ["snapshot", "sources", "limits"])
def test_the_hash_covers_every_field_of_a_snapshot_its_sources_and_its_limits(part):
    """A field is replaced by a value of another kind, which any hash that reads the field must see."""
    snapshot = random_snapshot(3, seed=1, paths=16)
    whole = snapshot if part == "snapshot" else getattr(snapshot, part)
    for field in fields(whole):
        changed = replace(whole, **{field.name: ("changed", field.name)})
        other = changed if part == "snapshot" else replace(snapshot, **{part: changed})
        assert snapshot_hash(other) != snapshot_hash(snapshot), field.name


def test_a_budget_too_small_for_the_need_holds_back_and_says_what_would_cure_it():
    free = plan_orders(random_snapshot(10, seed=8))
    tight = random_snapshot(10, seed=8, limits=SharedLimits(budget=0.2 * sum(line.value for line in free.lines)))
    plan = plan_orders(tight)
    assert verify(tight, plan) == ()
    assert 0 < sum(line.value for line in plan.lines) <= tight.limits.budget
    assert plan.cost.total > free.cost.total
    assert any("budget" in conflict and "more would" in conflict for conflict in plan.conflicts)


def test_a_binding_budget_shows_what_one_more_unit_of_money_saves():
    budget = 0.5 * sum(line.value for line in plan_orders(random_snapshot(10, seed=8)).lines)
    plan = plan_orders(random_snapshot(10, seed=8, limits=SharedLimits(budget=budget)))
    binding = [limit for line in plan.lines for limit in line.binding if limit.name == "budget"]
    assert len(binding) == len(plan.lines)
    more = plan_orders(random_snapshot(10, seed=8, limits=SharedLimits(budget=budget + 50.0)))
    saved = plan.lower_bound - more.lower_bound
    assert 0 < saved <= 50.0 * binding[0].shadow_price * (1 + 1e-6)


def test_storage_that_open_orders_already_overfill_is_a_conflict_and_gets_no_more():
    demand = np.ones((1, 8, 6))
    snapshot = snapshot_of_paths(
        demand,
        [Terms(price=1.0)],
        on_hand=[50.0],
        holding=[0.1],
        shortage=[5.0],
        volume=2.0,
        limits=SharedLimits(storage=20.0),
    )
    plan = plan_orders(snapshot)
    assert plan.lines == ()
    assert "over-full by 78.0" in plan.conflicts[0]


def test_supplier_capacity_splits_an_item_over_two_sources():
    demand = np.full((1, 8, 6), 100.0)
    terms = [Terms(price=1.0, largest=60.0), Terms(supplier=1, price=1.2)]
    snapshot = snapshot_of_paths(
        demand, terms, on_hand=[0.0], holding=[0.01], shortage=[5.0], suppliers=2, unit_value=1.0
    )
    plan = plan_orders(snapshot)

    best = 6 * (60 * 1.0 + 40 * 1.2)
    """Every week 60 from the cheap source and the rest from the dear one: nothing held and nothing short."""
    dear_later = 60 * 1.0 + 40 * 1.2 + 5 * 100 * 1.2
    assert {line.supplier_id: line.quantity for line in plan.lines} == {"S00": 60.0, "S01": 40.0}
    assert best <= plan.cost.total <= dear_later + 1e-6


def test_a_share_cap_spreads_the_order_over_suppliers():
    snapshot = random_snapshot(6, seed=3)
    plan = plan_orders(snapshot, OrderingSettings(max_share=0.6))
    assert verify(snapshot, plan) == ()
    for item in {line.item_id for line in plan.lines}:
        assert len({line.supplier_id for line in plan.lines if line.item_id == item}) >= 2


def test_the_verifier_finds_each_broken_rule():
    snapshot = random_snapshot(4, seed=2, limits=SharedLimits(budget=1e9))
    plan = plan_orders(snapshot)
    line = plan.lines[0]

    def rules(**changes):
        changed = replace(plan, lines=(replace(line, **changes), *plan.lines[1:]))
        return {v.rule for v in verify(snapshot, changed)}

    assert verify(snapshot, plan) == ()
    assert "unknown_offer" in rules(offer_id="nobody")
    assert "quantity" in rules(quantity=-1.0)
    assert "unit_price" in rules(unit_price=line.unit_price * 0.9)
    assert "order_multiple" in rules(quantity=line.quantity + 0.3)
    assert "budget" in rules(quantity=line.quantity * 2**40)
    assert {v.rule for v in verify(snapshot, replace(plan, lines=(*plan.lines, line)))} == {"duplicate_need"}
    assert {v.rule for v in verify(random_snapshot(4, seed=3), plan)} >= {"snapshot_hash"}


def changed_stock(snapshot, row, units):
    on_hand = snapshot.on_hand.copy()
    on_hand[row] = units
    return replace(snapshot, on_hand=on_hand)


def test_replanning_one_item_equals_planning_everything_anew():
    snapshot = random_snapshot(10, seed=6)
    plan = plan_orders(snapshot)
    changed = changed_stock(snapshot, 3, 0.0)
    replanned, diff = replan(plan, SnapshotDelta(changed, frozenset({"I003"})))
    assert replanned.lines == plan_orders(changed).lines
    assert replanned.cost.total == pytest.approx(plan_orders(changed).cost.total)
    assert diff.recomputed_item_ids == ("I003",)
    assert {line.item_id for line in (*diff.added, *diff.removed, *(pair[1] for pair in diff.changed))} <= {"I003"}


@pytest.mark.parametrize("seed", range(6))
def test_replanning_under_shared_limits_breaks_none(seed):
    free = plan_orders(random_snapshot(8, seed=seed, paths=64))
    limits = SharedLimits(
        budget=0.6 * sum(line.value for line in free.lines),
        supplier_capacity=np.full(10, 0.5 * sum(line.quantity for line in free.lines)),
    )
    snapshot = random_snapshot(8, seed=seed, paths=64)
    limits = replace(limits, supplier_capacity=limits.supplier_capacity[: len(snapshot.supplier_ids)])
    snapshot = replace(snapshot, limits=limits)
    changed = changed_stock(snapshot, 1, 0.0)
    replanned, _ = replan(plan_orders(snapshot), SnapshotDelta(changed, frozenset({"I001"})))
    assert verify(changed, replanned) == ()
    assert replanned.lower_bound <= replanned.cost.total + 1e-6


def test_replanning_with_nothing_changed_changes_nothing():
    snapshot = random_snapshot(5, seed=1)
    plan = plan_orders(snapshot)
    again, diff = replan(plan, SnapshotDelta(snapshot, frozenset()))
    assert diff.is_empty
    assert again.lines == plan.lines


def test_options_differ_and_a_choice_among_them_makes_their_lines():
    snapshot = random_snapshot(8, seed=5)
    groups = {"first": [f"I{i:03d}" for i in range(4)], "second": [f"I{i:03d}" for i in range(4, 8)]}
    options = plan_options(Catalogue(snapshot, OrderingSettings()), groups, {"I000": 1000.0})
    first = [o for o in options if o.group == "first"]
    assert first[0].profile == "balanced"
    assert {o.profile for o in options} <= PROFILES.keys()
    assert len({o.orders for o in first}) == len(first) >= 3
    chosen = {"first": first[-1].option_id, "second": "second/balanced"}
    plan = combine(Catalogue(snapshot, OrderingSettings()), options, chosen)
    wanted = {offer: units for o in options if o.option_id in chosen.values() for offer, units in o.orders}
    assert {line.offer_id: line.quantity for line in plan.lines} == wanted
    assert verify(snapshot, plan) == ()


def test_the_balanced_option_costs_least_and_service_first_serves_no_worse():
    snapshot = random_snapshot(12, seed=9)
    options = {
        o.profile: o for o in plan_options(Catalogue(snapshot, OrderingSettings()), {"all": snapshot.item_ids}, {})
    }
    assert all(options["balanced"].cost.total <= o.cost.total * 1.02 for o in options.values())
    assert options["service_first"].fill_rate >= options["balanced"].fill_rate - 1e-3
    held = {profile: option.cost.holding for profile, option in options.items()}
    assert held["cash_lean"] < held["balanced"] < held["service_first"]


def test_an_unknown_option_is_refused_with_the_known_ones():
    snapshot = random_snapshot(2, seed=5, paths=16)
    options = plan_options(Catalogue(snapshot, OrderingSettings()), {"g": snapshot.item_ids}, {})
    with pytest.raises(NotFound, match="g/balanced"):
        combine(Catalogue(snapshot, OrderingSettings()), options, {"g": "g/reckless"})
