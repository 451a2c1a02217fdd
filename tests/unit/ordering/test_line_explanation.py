"""The story of a line: its cost curve, next best, limits in words, projected stock and textbook quantities."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm

from benchmarks.cases.planning_worlds import Terms, random_snapshot, snapshot_of_paths
from tools.domain.errors import BadInput, NotFound
from tools.domain.orders import Intent
from tools.domain.snapshots import SharedLimits
from tools.ordering import curve_in_words, explain_line, extra_cost_of_switching, plan_orders


def normal_item(*terms: Terms, on_hand: float = 0.0, periods: int = 1, **more):
    """One item with normal demand (50, 8) whose draws are the distribution's own quantiles."""
    draws = norm(50, 8).ppf((np.arange(2_000) + 0.5) / 2_000)
    rng = np.random.default_rng(3)
    demand = np.stack([rng.permutation(draws) for _ in range(periods)], axis=1)[None]
    return snapshot_of_paths(demand, terms, on_hand=[on_hand], holding=[0.18], shortage=[0.70], **more)


def test_the_cost_curve_of_a_newsvendor_is_its_cost_at_each_quantity():
    snapshot = normal_item(Terms(multiple=1.0))
    plan = plan_orders(snapshot)
    story = explain_line(snapshot, plan, plan.lines[0].line_id)
    demand = snapshot.demand[0, :, 0]
    for point in story.curve:
        left = point.quantity - demand
        expected = 0.18 * np.maximum(left, 0).mean() + 0.70 * np.maximum(-left, 0).mean()
        assert point.cost.holding + point.cost.shortage == pytest.approx(expected, rel=1e-6)
    assert min(story.curve, key=lambda point: point.total).quantity == story.line.quantity == 57
    assert "no quantity shown costs less" in curve_in_words(story)


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_the_curve_holds_the_planned_quantity_at_the_planned_cost_among_accepted_ones(seed: int):
    snapshot = random_snapshot(3, seed=seed, paths=64, horizon=13)
    plan = plan_orders(snapshot)
    outlooks = {outlook.item_id: outlook for outlook in plan.outlooks}
    sources = snapshot.sources
    for line in plan.lines:
        story = explain_line(snapshot, plan, line.line_id)
        quantities = [point.quantity for point in story.curve]
        assert quantities == sorted(set(quantities))
        assert 5 <= len(quantities) <= 11
        planned = story.curve[quantities.index(line.quantity)]
        assert planned.total == pytest.approx(outlooks[line.item_id].cost.total, rel=1e-9)
        row = sources.offer_ids.index(line.offer_id)
        for units in quantities[1:]:
            assert units >= sources.moq[row]
            packs = units / max(float(sources.order_multiple[row]), 1e-9)
            assert packs == pytest.approx(round(packs), abs=1e-6)
        assert story.stock_quantiles.shape == (5, snapshot.horizon)
        assert (np.diff(story.stock_quantiles, axis=0) >= 0).all()
        assert 0 <= story.stockout_probability <= 1


def test_the_next_best_names_its_orders_and_its_extra_cost():
    terms = Terms(price=50.0), Terms(supplier=1, price=53.0)
    snapshot = snapshot_of_paths(
        np.full((1, 4, 12), 10.0), terms, on_hand=[0.0], holding=[1.0], shortage=[20.0], suppliers=2
    )
    plan = plan_orders(snapshot)
    best = explain_line(snapshot, plan, plan.lines[0].line_id).next_best
    assert best.orders == ((snapshot.sources.offer_ids[1], 10.0),)
    assert best.extra_cost == pytest.approx(30.0)
    assert "30.00 USD more" in best.words


def test_switching_a_line_to_another_offer_costs_what_the_other_asks_more_with_its_fixed_cost():
    terms = Terms(price=50.0), Terms(supplier=1, price=51.0, fixed_cost=40.0)
    snapshot = snapshot_of_paths(
        np.full((1, 4, 12), 10.0), terms, on_hand=[0.0], holding=[1.0], shortage=[20.0], suppliers=2
    )
    plan = plan_orders(snapshot)
    extra = extra_cost_of_switching(snapshot, plan, plan.lines[0].line_id, snapshot.sources.offer_ids[1])
    assert extra == pytest.approx(10 * 1.0 + 40.0)


def test_without_another_source_the_next_best_is_to_order_nothing():
    snapshot = snapshot_of_paths(
        np.full((1, 4, 12), 10.0), [Terms(price=50.0)], on_hand=[0.0], holding=[1.0], shortage=[20.0]
    )
    plan = plan_orders(snapshot)
    best = explain_line(snapshot, plan, plan.lines[0].line_id).next_best
    assert best.orders == ()
    assert best.extra_cost == pytest.approx(200.0)
    assert "ordering nothing now" in best.words


def test_each_part_of_a_split_without_a_third_source_names_what_the_other_would_cost():
    """A cheap slow source and a dear fast one share the order; without either the other takes all or nothing."""
    terms = Terms(price=10.0, lead_time=(0.0, 0.0, 0.0, 0.0, 1.0)), Terms(supplier=1, price=16.0, lead_time=(1.0,))
    rng = np.random.default_rng(1)
    demand = rng.poisson(20, (1, 128, 16)).astype(float)
    snapshot = snapshot_of_paths(demand, terms, on_hand=[10.0], holding=[0.5], shortage=[15.0], suppliers=2)
    plan = plan_orders(snapshot)
    assert len(plan.lines) == 2
    for line in plan.lines:
        best = explain_line(snapshot, plan, line.line_id).next_best
        assert {offer for offer, _ in best.orders} <= set(snapshot.sources.offer_ids) - {line.offer_id}
        assert best.extra_cost > 0
        assert line.offer_id in best.words


def limited(limits: SharedLimits):
    """Three items that compete for a limit, and their plan."""
    terms = [Terms(item=i, supplier=0, price=10.0) for i in range(3)]
    demand = np.random.default_rng(2).poisson(20, (3, 64, 8)).astype(float)
    snapshot = snapshot_of_paths(
        demand, terms, on_hand=[0.0] * 3, holding=[1.0] * 3, shortage=[9.0] * 3, limits=limits, volume=1.0
    )
    return snapshot, plan_orders(snapshot)


@pytest.mark.parametrize(
    ("limits", "words"),
    [
        (SharedLimits(budget=450.0), ("One more USD of budget is worth ", "the limit is 450 USD")),
        (SharedLimits(supplier_capacity=np.array([45.0])), ("One more unit of capacity of S00", "limit is 45 units")),
    ],
)
def test_a_limit_that_binds_says_what_one_more_unit_of_it_is_worth(limits: SharedLimits, words: tuple[str, ...]):
    snapshot, plan = limited(limits)
    stories = [explain_line(snapshot, plan, line.line_id) for line in plan.lines]
    told = " ".join(text for story in stories for text in story.limits_in_words)
    assert all(word in told for word in words)
    assert all(point.limit_value > 0 for story in stories for point in story.curve if point.quantity > 0)


def test_the_worth_of_a_limit_is_what_one_more_unit_of_it_saves():
    """The shadow price comes from the relaxation: the saving of much more of the limit stays below it times that."""
    snapshot, plan = limited(SharedLimits(supplier_capacity=np.array([45.0])))
    _, roomier = limited(SharedLimits(supplier_capacity=np.array([50.0])))
    price = max(limit.shadow_price for line in plan.lines for limit in line.binding)
    assert roomier.cost.total < plan.cost.total
    assert plan.lower_bound - roomier.lower_bound <= 5 * price + 1e-6


def test_textbook_quantities_stand_beside_ours_with_the_reason_for_the_difference():
    snapshot = normal_item(Terms(multiple=0.0, fixed_cost=8.0), periods=12)
    plan = plan_orders(snapshot)
    story = explain_line(snapshot, plan, plan.lines[0].line_id)
    figures = {figure.name: figure for figure in story.textbook}
    assert set(figures) == {"reorder_point", "safety_stock", "newsvendor_order", "economic_order_quantity"}
    assert figures["reorder_point"].textbook == pytest.approx(56.6040, abs=0.05)
    lot, ratio = np.sqrt(2 * 8 * 50 / 0.18), 0.70 / 0.88
    assert figures["reorder_point"].ours == pytest.approx(50 - (1 - ratio) * lot, abs=0.3), "mean of F over the lot"
    assert figures["economic_order_quantity"].textbook == pytest.approx(np.sqrt(2 * 8 * 50 / 0.18), rel=1e-3)
    assert all(figure.why.endswith(".") for figure in story.textbook)


def test_an_item_that_nobody_asks_for_has_no_textbook_quantities():
    snapshot = snapshot_of_paths(np.zeros((1, 4, 6)), [Terms(price=5.0)], on_hand=[-3.0], holding=[1.0], shortage=[9.0])
    plan = plan_orders(snapshot)
    story = explain_line(snapshot, plan, plan.lines[0].line_id)
    assert story.textbook == ()
    assert story.line.quantity == 3


def test_lines_that_are_unknown_or_change_an_open_order_are_refused_with_the_remedy():
    snapshot = random_snapshot(2, seed=1, paths=32, horizon=8)
    plan = plan_orders(snapshot)
    with pytest.raises(NotFound, match="nothing#0") as unknown:
        explain_line(snapshot, plan, "nothing#0")
    assert plan.lines[0].line_id in unknown.value.remedy
    changed = replace(plan.lines[0], intent=Intent.CANCEL, replaces_order_id="PO-1")
    with pytest.raises(BadInput, match="PO-1"):
        explain_line(snapshot, replace(plan, lines=(changed,)), changed.line_id)


def test_a_large_safety_stock_says_how_much_of_it_the_lead_time_asks_for():
    """Steady demand and a lead time of one or of twelve periods: all of the variance is the lead time's."""
    lead = (0.0, 0.9, *([0.0] * 10), 0.1)
    snapshot = snapshot_of_paths(
        np.full((1, 200, 16), 10.0), [Terms(price=5.0, lead_time=lead)], on_hand=[0.0], holding=[1.0], shortage=[99.0]
    )
    (line,) = plan_orders(snapshot).lines
    (note,) = [note for note in line.explanation.notes if note.startswith("Safety stock of")]
    assert "about 100% of the variance comes from the lead time" in note
    assert f"{line.explanation.figures['safety_stock']:,.0f} against" in note
