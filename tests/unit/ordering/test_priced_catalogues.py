"""Prices that are kept, mixed or computed anew for a few items are those of pricing everything at once, to the bit."""

from dataclasses import fields, replace

import numpy as np
import pytest
from hypothesis import Phase, assume, example, given, settings
from hypothesis import strategies as st
from ordering_cases import random_problem

from benchmarks.cases.planning_worlds import random_snapshot
from tools.domain.arrays import IntArray
from tools.domain.plans import OrderPlan
from tools.domain.snapshots import OrderingSettings, PlanningSnapshot, SharedLimits
from tools.ordering import PROFILES, Catalogue, extra_cost_of_switching, plan_options, plan_orders
from tools.ordering.limits.limit_use import candidate_storage
from tools.ordering.plan import candidates_of
from tools.ordering.pricing.catalogue_prices import Priced, mixed, price, price_changed
from tools.ordering.pricing.items import Batch, price_items
from tools.ordering.problem.levels import item_costs
from tools.ordering.verification.rules import PLACING

NAMES = tuple(PROFILES)


def priced_problem(seed: int) -> tuple[PlanningSnapshot, OrderingSettings]:
    """A problem whose plan picks among priced candidates: limits of later periods make it a schedule instead.

    No time limit ends the choice: a busy machine would choose otherwise.
    """
    snapshot, how = random_problem(seed)
    assume(not snapshot.limits.reach_later)
    return snapshot, replace(how, time_limit_seconds=600.0)


def capped(snapshot: PlanningSnapshot, rows: IntArray, share: float) -> PlanningSnapshot:
    """The problem with less accepted of some sources; a share of 0 bars them."""
    sources = snapshot.sources
    usual = np.maximum(snapshot.demand.mean(axis=(1, 2))[sources.item] * 4, 1.0)
    caps = np.minimum(sources.max_quantity, usual * share)
    largest = sources.max_quantity.copy()
    largest[rows] = np.where(caps[rows] > 0, caps[rows], largest[rows])
    able = sources.orderable.copy()
    able[rows] = able[rows] & (caps[rows] >= sources.moq[rows])
    return replace(snapshot, sources=replace(sources, max_quantity=largest, orderable=able))


def more_coming(snapshot: PlanningSnapshot, items: IntArray) -> PlanningSnapshot:
    """The problem with a period's demand of these items on order, due in the second period."""
    arrivals = snapshot.arrivals.copy()
    arrivals[items, :, 1] += np.ceil(snapshot.demand[items].mean(axis=(1, 2)))[:, None]
    return replace(snapshot, arrivals=arrivals)


def same_prices(found: Priced, wanted: Priced) -> None:
    assert (found.digest, found.shared) == (wanted.digest, wanted.shared)
    assert found.batch_of.size == wanted.batch_of.size
    for item in range(wanted.batch_of.size):
        mine, theirs = found.of_item(item), wanted.of_item(item)
        assert mine.total[mine.columns.valid].tolist() == theirs.total[theirs.columns.valid].tolist()
        assert (mine.stored is None) == (theirs.stored is None)
        if mine.stored is not None and theirs.stored is not None:
            assert mine.stored[mine.columns.valid].tolist() == theirs.stored[theirs.columns.valid].tolist()


def of_those_in_play(catalogue: Catalogue, name: str) -> OrderingSettings:
    """The settings with a profile for the items that it is applied to."""
    anew = catalogue.priced_anew(name).tolist()
    ids = [i for i, applied in zip(catalogue.snapshot.item_ids, anew, strict=True) if applied]
    return catalogue.settings if name == "balanced" else PROFILES[name].apply(catalogue.settings, ids)


def same_plans(found: OrderPlan, wanted: OrderPlan) -> None:
    assert found.lines == wanted.lines
    assert found.intended == wanted.intended
    for mine, theirs in zip(found.outlooks, wanted.outlooks, strict=True):
        for field in fields(mine):
            assert np.array_equal(getattr(mine, field.name), getattr(theirs, field.name)), field.name
    assert (found.cost, found.conflicts, found.snapshot_hash) == (wanted.cost, wanted.conflicts, wanted.snapshot_hash)
    assert found.lower_bound == pytest.approx(wanted.lower_bound, rel=1e-9)


@settings(max_examples=15, deadline=None, derandomize=True, database=None, phases=[Phase.generate])
@given(seed=st.integers(0, 10_000), share=st.sampled_from([0.0, 0.3, 1.0]), picked=st.data(), withheld=st.booleans())
def test_pricing_the_items_of_capped_sources_alone_gives_the_plan_of_pricing_all(
    seed: int, share: float, picked: st.DataObject, withheld: bool
) -> None:
    snapshot, how = priced_problem(seed)
    assume(snapshot.sources.item.size)
    rows = picked.draw(st.sets(st.integers(0, snapshot.sources.item.size - 1), min_size=1))
    chosen = np.array(sorted(rows))
    items = np.unique(snapshot.sources.item[chosen])
    after = capped(snapshot, chosen, share)
    after = more_coming(after, items) if withheld else after
    found = price_changed(price(snapshot, how), after, how, items)
    same_prices(found, price(after, how))
    known = Catalogue(snapshot, how)
    known.plan("balanced")
    same_plans(Catalogue(after, how, known, items).plan("balanced"), plan_orders(after, how))


@settings(max_examples=15, deadline=None, derandomize=True, database=None, phases=[Phase.explicit, Phase.generate])
@given(seed=st.integers(0, 10_000), drawn=st.lists(st.sampled_from(NAMES), min_size=8, max_size=8))
@example(seed=611, drawn=["balanced", "diversified", "cash_lean", "service_first", "cash_lean", "no_expedite"] * 2)
def test_items_of_several_profiles_are_planned_as_if_priced_together(seed: int, drawn: list[str]) -> None:
    snapshot, how = priced_problem(seed)
    profile_of = dict(zip(snapshot.item_ids, drawn, strict=False))
    catalogue, together = Catalogue(snapshot, how), how
    for item_id, name in profile_of.items():
        if catalogue.priced_anew(name)[snapshot.item_ids.index(item_id)]:
            together = PROFILES[name].apply(together, [item_id])
    same_plans(catalogue.plan_of(profile_of), plan_orders(snapshot, together))


@settings(max_examples=15, deadline=None, derandomize=True, database=None, phases=[Phase.generate])
@given(seed=st.integers(0, 10_000))
def test_every_profile_of_a_catalogue_is_planned_as_if_it_stood_alone(seed: int) -> None:
    snapshot, how = priced_problem(seed)
    catalogue = Catalogue(snapshot, how)
    for name in NAMES:
        same_plans(catalogue.plan(name), plan_orders(snapshot, of_those_in_play(catalogue, name)))


@settings(max_examples=10, deadline=None, derandomize=True, database=None, phases=[Phase.generate])
@given(seed=st.integers(0, 10_000))
def test_an_option_tells_what_the_plan_of_its_profile_says_when_it_is_written(seed: int) -> None:
    snapshot, how = priced_problem(seed)
    catalogue = Catalogue(snapshot, how)
    for option in plan_options(catalogue, {"all": snapshot.item_ids}, {}):
        plan = catalogue.plan(option.profile)
        placed = [line for line in plan.lines if line.intent in PLACING]
        assert sorted(option.orders) == sorted((line.offer_id, line.quantity) for line in placed)
        assert option.proposals == len(plan.lines) - len(placed)
        assert option.order_value == pytest.approx(sum(line.value for line in placed))
        assert set(option.suppliers) == {line.supplier_id for line in placed}
        assert option.fill_rate == pytest.approx(np.mean([o.fill_rate for o in plan.outlooks]), abs=1e-6)
        runs_out = np.mean([o.stockout_probability for o in plan.outlooks])
        assert option.stockout_probability == pytest.approx(runs_out)
        weights = item_costs(snapshot, plan.settings).weight
        shortage = sum(o.cost.shortage / w for o, w in zip(plan.outlooks, weights.tolist(), strict=True))
        assert option.cost.shortage == pytest.approx(shortage)
        assert option.cost.total == pytest.approx(plan.cost.total - plan.cost.shortage + shortage)


def test_a_pricing_that_is_mixed_with_itself_is_the_same() -> None:
    snapshot, how = random_problem(3)
    known = price(snapshot, how)
    same_prices(mixed([known, known], np.arange(snapshot.n_items) % 2), known)


def test_what_candidates_store_follows_the_items_that_are_priced_anew() -> None:
    snapshot = random_snapshot(12, seed=4)
    snapshot = replace(snapshot, storage_volume=np.arange(1.0, 13.0), limits=SharedLimits(storage=1e4))
    rows = np.flatnonzero(snapshot.sources.item % 3 == 0)
    after, how = capped(snapshot, rows, 0.3), OrderingSettings()
    anew = price(after, how)
    found = price_changed(price(snapshot, how), after, how, np.unique(snapshot.sources.item[rows]))
    same_prices(found, anew)
    joined = candidates_of(after, anew)
    assert joined.stored is not None
    assert joined.stored.tolist() == candidate_storage(after, replace(joined, stored=None)).tolist()


def test_a_catalogue_prices_only_what_a_profile_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    snapshot = random_snapshot(12, seed=4)
    some = snapshot.sources.expedite & (snapshot.sources.item < 5)
    snapshot = replace(snapshot, sources=replace(snapshot.sources, expedite=some), limits=SharedLimits(budget=1e5))
    expedited = np.unique(snapshot.sources.item[snapshot.sources.expedite]).size
    asked: list[int] = []

    def counted(part: PlanningSnapshot, own: OrderingSettings, items: IntArray, *, shared: bool) -> Batch:
        asked.append(items.size)
        return price_items(part, own, items, shared=shared)

    monkeypatch.setattr("tools.ordering.pricing.catalogue_prices.price_items", counted)
    catalogue = Catalogue(snapshot, OrderingSettings())
    for name in ("balanced", "no_expedite"):
        catalogue.plan(name)
    assert asked == [12, expedited] and 0 < expedited < 12
    for name in NAMES:
        catalogue.plan(name)
    asked.clear()
    catalogue.plan_of(dict.fromkeys(snapshot.item_ids, "cash_lean"))
    catalogue.plan_of(dict(zip(snapshot.item_ids, NAMES * 3, strict=False)))
    assert asked == []


@settings(max_examples=20, deadline=None, derandomize=True, database=None, phases=[Phase.generate])
@given(seed=st.integers(0, 10_000), drawn=st.lists(st.sampled_from(NAMES), min_size=8, max_size=8))
def test_an_item_taken_from_a_pricing_is_priced_as_it_is_alone(seed: int, drawn: list[str]) -> None:
    """What another source would cost is the same to the bit, whatever profiles the catalogue mixes."""
    snapshot, how = priced_problem(seed)
    profile_of = dict(zip(snapshot.item_ids, drawn, strict=False))
    catalogue = Catalogue(snapshot, how)
    plan, priced = catalogue.plan_of(profile_of), catalogue.priced_of(profile_of)
    offers = snapshot.sources.offer_ids
    for line in plan.lines:
        row = offers.index(line.offer_id)
        for other in np.flatnonzero(snapshot.sources.item == snapshot.sources.item[row]):
            wanted = extra_cost_of_switching(snapshot, plan, line.line_id, offers[other])
            assert extra_cost_of_switching(snapshot, plan, line.line_id, offers[other], priced) == wanted


@settings(max_examples=10, deadline=None, derandomize=True, database=None, phases=[Phase.generate])
@given(seed=st.integers(0, 10_000))
def test_an_item_taken_from_a_pricing_keeps_its_candidates_and_their_prices(seed: int) -> None:
    snapshot, how = priced_problem(seed)
    known = price(snapshot, how)
    for batch in known.batches:
        for row, item in enumerate(batch.items.tolist()):
            alone = known.of_item(item)
            offers, theirs = alone.snapshot.sources.offer_ids, batch.snapshot.sources.offer_ids
            valid = alone.columns.valid[0]
            assert (alone.items.tolist(), alone.snapshot.item_ids) == ([item], (snapshot.item_ids[item],))
            assert np.array_equal(alone.total[0, valid], batch.total[row, valid])
            placed = batch.columns.quantity[row, valid] > 0
            mine, others = alone.columns.source[0, valid][placed], batch.columns.source[row, valid][placed]
            assert [offers[source] for source in mine] == [theirs[source] for source in others]
