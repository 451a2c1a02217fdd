"""Estimate versions that people choose: held on to, carried over, dropped and made whole again."""

from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
from demo_home import demo_home, plan_trigger, settings_of
from integration.runs.estimate_cases import (
    MADE_ANEW,
    active,
    edited_code,
    no_forecast,
    parts_of,
    plan_hash,
    planned,
    without_distributions,
)

import graph.computation.estimates
from graph.computation.desk import Desk, Scope
from graph.session import LocalSession, open_session
from store.estimates import EstimateKind
from tools.domain.errors import Conflict, NotFound


def test_a_version_made_active_again_plans_over_its_own_horizon_after_the_settings_changed(tmp_path: Path) -> None:
    home = demo_home(tmp_path)
    with closing(open_session(settings_of(home))) as session:
        first, former = planned(session)
    with closing(open_session(settings_of(home, horizon_periods=13))) as session:
        _, newer = planned(session)
        assert "horizon_periods 26 → 13" in session.estimates()[0].differences
        session.activate_estimates(former, "ana")
        third, used = planned(session)
        assert (used, newer == former) == (former, False)
        assert plan_hash(session, third) == plan_hash(session, first)


def test_a_chosen_version_keeps_its_parameters_on_newer_data_until_somebody_goes_back(tmp_path: Path) -> None:
    home = demo_home(tmp_path)
    with closing(open_session(settings_of(home))) as session:
        _, chosen = planned(session)
    with closing(open_session(settings_of(home, seed=8))) as session:
        planned(session)
        session.activate_estimates(chosen, "ana", "seed 8 is noisy")
        session.observe(7)
        _, carried = planned(session)
        made = session.estimates()[0]
        assert (made.version, made.seed, made.held, made.parent) == (carried, 7, True, chosen)
        assert made.reason.endswith(f"with the parameters of {chosen}")
        session.activate_estimates("configured", "ana")
        back = session.estimates()[0]
        assert (back.seed, back.held, back.active) == (8, False, True)
        session.observe(7)
        _, later = planned(session)
        assert next(one for one in session.estimates() if one.version == later).seed == 8


def test_a_dataset_that_is_rolled_back_finds_its_version_again(
    session: LocalSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, version = planned(session)
    before = next(one.version for one in session.datasets() if one.active)
    session.observe(7)
    planned(session)
    session.rollback(before, "mia")
    monkeypatch.setattr(graph.computation.estimates, MADE_ANEW, no_forecast)
    _, again = planned(session)
    assert again == version == active(session)


def test_a_run_on_an_older_dataset_leaves_the_active_version_alone(session: LocalSession) -> None:
    planned(session)
    older = next(one.version for one in session.datasets() if one.active)
    session.observe(7)
    _, newest = planned(session)
    run_id = session.start(plan_trigger().model_copy(update={"dataset_version": older}))
    assert session.plan(run_id).run.versions["estimate"] != newest
    assert active(session) == newest


def test_a_version_whose_distributions_were_dropped_is_made_whole_again_or_refused(
    session: LocalSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, former = planned(session)
    warehouse = parts_of(session).warehouse
    stored = warehouse.estimate_contents(former, EstimateKind.DEMAND)
    without_distributions(session)
    assert session.activate_estimates(former, "ana").kept
    assert warehouse.estimate_contents(former, EstimateKind.DEMAND) == stored
    without_distributions(session)
    edited_code(monkeypatch)
    with pytest.raises(Conflict, match="dropped"):
        session.activate_estimates(former, "ana")


def test_a_run_of_before_there_were_versions_still_replays(session: LocalSession) -> None:
    run_id, _ = planned(session)
    warehouse = parts_of(session).warehouse
    scope = warehouse.artifact(run_id, "plan", "scope") or {}
    del scope["estimate_version"]
    warehouse.put_artifact(run_id, "plan", "scope", scope)
    replay = session.replay(run_id)
    assert str(replay["estimates"]).startswith("computed from the dataset")
    assert "identical" in replay


def test_versions_of_runs_that_wait_are_not_dropped(session: LocalSession, monkeypatch: pytest.MonkeyPatch) -> None:
    run_id, pinned = planned(session)
    assert session.plan(run_id).run.pending_approvals
    monkeypatch.setattr(graph.computation.estimates, "KEPT_VERSIONS", 1)
    made = [pinned]
    for number in range(4):
        monkeypatch.setattr(graph.computation.estimates, "code_version", lambda number=number: f"0.1.0+{number}")
        made.append(parts_of(session).context.desk.current_estimates(session.datasets()[0].version))
    kept = {one.version for one in session.estimates() if one.kept}
    assert kept == {pinned, *made[-2:]}, "the former active version goes with the next one"


def test_only_the_wanted_items_are_read_and_they_are_as_in_the_whole(session: LocalSession) -> None:
    _, version = planned(session)
    desk = parts_of(session).context.desk
    dataset = session.datasets()[0].version
    whole = desk.estimates(Scope(dataset, tuple(desk.dataset(dataset).items), estimate_version=version))
    some = desk.estimates(Scope(dataset, ("I002", "I007"), estimate_version=version))
    assert {made.item_id for made in some.forecasts} == {"I002", "I007"}
    by_item = {made.item_id: made.paths for made in whole.forecasts}
    assert all(np.array_equal(made.paths, by_item[made.item_id]) for made in some.forecasts)
    assert some.lead_times.keys() == whole.lead_times.keys()


def test_warming_makes_the_estimates_and_measures_them(session: LocalSession, monkeypatch: pytest.MonkeyPatch) -> None:
    session.warm()
    assert {one.group for one in session.backtests()} == {"all", "class", "item"}
    monkeypatch.setattr(graph.computation.estimates, MADE_ANEW, no_forecast)
    session.warm()
    planned(session)


def test_an_items_forecast_is_told_with_what_came_and_what_earlier_versions_said(session: LocalSession) -> None:
    _, version = planned(session)
    as_of = session.datasets()[0].as_of
    session.observe(21)
    planned(session)
    first = session.forecast("I001", version=version)
    assert first.actuals_from == session.datasets()[0].version
    assert len(first.actuals) == 3
    assert first.actual_dates == first.dates[:3]
    assert first.as_of == as_of
    latest = session.forecast("I001")
    assert latest.as_of == as_of + timedelta(days=21)
    assert [one.version for one in latest.earlier] == [version]
    assert latest.earlier[0].median == first.quantiles["0.5"]
    names = [series["name"] for series in first.chart["series"]]
    assert {"History", "Median", "What came", "50 %", "80 %", "95 %"} <= set(names)


def test_demand_while_one_waits_is_told_for_the_cheapest_and_the_fastest_offer(session: LocalSession) -> None:
    view = session.forecast("I001")
    cheapest, fastest = view.lead_time_demand
    offers = [
        o for o in parts_of(session).context.desk.dataset(session.datasets()[0].version).offers if o.item_id == "I001"
    ]
    assert cheapest.unit_price == min(o.unit_price + o.freight_per_unit for o in offers)
    assert fastest.lead_time_days["0.5"] < cheapest.lead_time_days["0.5"]
    for one in view.lead_time_demand:
        assert 0 <= one.quantiles["0.5"] <= one.quantiles["0.8"] <= one.quantiles["0.95"]


def test_unknown_names_are_refused_with_near_ones(session: LocalSession) -> None:
    with pytest.raises(NotFound) as unknown:
        session.forecast("I-001")
    assert "I001" in unknown.value.remedy
    with pytest.raises(NotFound) as by_name:
        session.forecast("glove")
    assert "I001" in by_name.value.remedy
    with pytest.raises(NotFound) as site:
        session.forecast("I001", "DC9")
    assert "DC1" in site.value.remedy
    version = session.forecast("I001").estimate.version
    with pytest.raises(NotFound) as misspelt:
        session.activate_estimates(version[:-1], "ana")
    assert version in misspelt.value.remedy


def test_a_problem_in_which_offers_are_capped_shares_everything_else(session: LocalSession) -> None:
    _, version = planned(session)
    desk = Desk(parts_of(session).warehouse)
    dataset = desk.dataset(session.datasets()[0].version)
    scope = Scope(dataset.version, tuple(dataset.items), estimate_version=version)
    offer = dataset.offers[0].offer_id
    capped = desk.snapshot(replace(scope, adjustments=((offer, 0.0),)))
    whole = desk.snapshot(scope)
    assert capped.demand is whole.demand and capped.arrivals is whole.arrivals
    barred = whole.source_of[offer]
    assert np.flatnonzero(capped.sources.orderable != whole.sources.orderable).tolist() == [barred]
    assert desk.snapshot(replace(scope, withheld=((offer, 5.0),))).arrivals is not whole.arrivals
