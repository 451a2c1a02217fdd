"""Estimate versions in runs: pinned, made active again, held on to, dropped, and always planned with as stored."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pytest
from demo_home import demo_home, demo_session, plan_trigger, settings_of

import graph.computation.estimates
from evals.worlds.demo import make_demo_world
from graph.computation.desk import Desk, DeskSettings, Scope
from graph.computation.distributions import demand_from, demand_rows
from graph.computation.estimates import EstimateBook, demand_context, records_hash, series_hash
from graph.parts import Parts
from graph.session import LocalSession, open_session
from store.arrays import from_bytes, to_bytes
from store.estimates import EstimateKind, EstimateOrigin, hash_of
from tools.domain.datasets import Dataset, DemandHistory, Period, PeriodSeries, UserForecast
from tools.domain.errors import Conflict, NotFound
from tools.forecasting import DemandForecast, DemandPattern, forecast_demand
from tools.forecasting.planned import edges_of
from tools.forecasting.planned import planned as cut
from tools.forecasting.preparation import prepare_catalogue

MADE_ANEW = "fitted_catalogue"
SAME_SERIES = {4: 0, 5: 0, 9: 8, 11: 10, 12: 10}
"""Which of the changes say the same of whole weeks: a clock one day or one unreported week on, and days without stock
in weeks that had others."""
ORIGIN = EstimateOrigin("ds-1-aa", "1", {"period": "week"}, 7, "1")


@pytest.fixture
def session(tmp_path: Path) -> Iterator[LocalSession]:
    with demo_session(tmp_path, planned=False) as opened:
        yield opened


def parts_of(session: LocalSession) -> Parts:
    return session._parts


def planned(session: LocalSession) -> tuple[str, str]:
    """A run of three items on the active dataset as it stands, and the estimate version that it is pinned to."""
    dataset = next(one.version for one in session.datasets() if one.active)
    run_id = session.start(plan_trigger("I002", "I008", "I022").model_copy(update={"dataset_version": dataset}))
    return run_id, session.plan(run_id).run.versions["estimate"]


def plan_hash(session: LocalSession, run_id: str) -> object:
    return (parts_of(session).warehouse.artifact(run_id, "plan", "choice") or {})["plan_hash"]


def active(session: LocalSession) -> str:
    return next(one.version for one in session.estimates() if one.active)


def no_forecast(*_: object, **__: object) -> None:
    raise AssertionError("a forecast was made although one is stored")


def without_distributions(session: LocalSession) -> None:
    """As if every version were one of long ago."""
    parts_of(session).warehouse._run("DELETE FROM estimate_distributions")
    parts_of(session).warehouse._run("UPDATE estimates SET kept = false")


def edited_code(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if the forecasting code had been edited: another hash, and other sample paths."""
    made = graph.computation.estimates.demand_rows

    def shifted(forecasts: list[DemandForecast]) -> object:
        return made([graph.computation.estimates.replace(one, paths=one.paths * 1.25 + 1) for one in forecasts])

    monkeypatch.setattr(graph.computation.estimates, "demand_rows", shifted)
    monkeypatch.setattr(graph.computation.estimates, "code_version", lambda: "0.1.0+edited00")


def test_a_run_makes_stores_and_pins_a_version_and_the_next_run_takes_it(
    session: LocalSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, version = planned(session)
    [stored] = session.estimates()
    dataset = session.datasets()[0].version
    assert (stored.version, stored.dataset_version, stored.active, stored.parent) == (version, dataset, True, None)
    assert stored.seed == stored.parameters["forecast"]["seed"] == 7
    monkeypatch.setattr(graph.computation.estimates, MADE_ANEW, no_forecast)
    again, same = planned(session)
    assert same == version and len(session.estimates()) == 1
    assert plan_hash(session, again) == plan_hash(session, first)
    rows = [row for row in session.journal(again) if row.node == "estimate" and row.event == "node"]
    assert rows[0].payload["estimate_version"] == version


def test_after_an_order_only_lead_times_are_estimated_again_and_what_is_equal_is_stored_once(
    session: LocalSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    warehouse = parts_of(session).warehouse
    session.start(plan_trigger())
    [first] = session.estimates()
    stored = warehouse._all("SELECT count(*) FROM estimate_distributions")[0][0]
    session.decide(session.pending()[0].approval_id, "approve", "mara")
    monkeypatch.setattr(graph.computation.estimates, MADE_ANEW, no_forecast)
    session.start(plan_trigger())
    second, _ = session.estimates()
    assert second.dataset_version != first.dataset_version
    for kind in EstimateKind:
        assert (
            warehouse.estimate_figures(second.version, kind).keys()
            == warehouse.estimate_figures(first.version, kind).keys()
        )
    demand = [warehouse.estimate_contents(one.version, EstimateKind.DEMAND) for one in (first, second)]
    assert demand[0] and demand[0] == demand[1]
    members = warehouse._all("SELECT count(*), count(DISTINCT digest) FROM estimate_members")[0]
    assert warehouse._all("SELECT count(*) FROM estimate_distributions")[0][0] == members[1] < members[0]
    assert members[1] - stored < members[0] - members[1]
    monkeypatch.undo()
    book, dataset = EstimateBook(warehouse, DeskSettings().estimating), warehouse.load_dataset(second.dataset_version)
    info = warehouse.estimate(second.version)
    assert hash_of(book._again(info, dataset)) == info.content_hash


def test_whatever_forecasts_are_made_from_changes_their_input() -> None:
    dataset = make_demo_world().dataset
    (key, history), *_ = dataset.demand.items()
    more = DemandHistory(*key, history.dates, history.quantities + np.eye(1, history.quantities.size)[0])
    later = DemandHistory(*key, history.dates + np.timedelta64(1, "D"), history.quantities)
    item = dataset.items[key[0]]
    days = np.array(["2026-03-02"], dtype="datetime64[D]")
    many = np.arange("2020-01-01", "2026-01-01", dtype="datetime64[D]")
    mine = UserForecast(key[0], days, np.array([5.0]), np.array([np.nan]))
    changed = [
        replace(dataset, demand={**dataset.demand, key: more}),
        replace(dataset, demand={**dataset.demand, key: later}),
        replace(dataset, demand={other: one for other, one in dataset.demand.items() if other != key}),
        replace(dataset, as_of=dataset.as_of + timedelta(days=1)),
        replace(dataset, as_of=dataset.as_of + timedelta(days=7)),
        replace(dataset, calendar=dataset.calendar[1:]),
        replace(dataset, items={**dataset.items, key[0]: item.model_copy(update={"family": "another"})}),
        replace(dataset, stockouts={**dataset.stockouts, key: days}),
        replace(dataset, stockouts={**dataset.stockouts, key: days + 1}),
        replace(dataset, stockouts={**dataset.stockouts, key: many}),
        replace(dataset, stockouts={**dataset.stockouts, key: np.delete(many, 1_000)}),
        replace(dataset, stockouts={**dataset.stockouts, key: np.delete(many, 1_001)}),
        replace(dataset, user_forecasts={**dataset.user_forecasts, key[0]: mine}),
        replace(dataset, user_forecasts={**dataset.user_forecasts, key[0]: replace(mine, quantities=np.array([6.0]))}),
    ]
    made = [records_hash(one, ORIGIN) for one in (dataset, *changed)]
    other = [
        replace(ORIGIN, parameters={"period": "month"}),
        replace(ORIGIN, code_version="2"),
        replace(ORIGIN, model_version="2"),
    ]
    made += [records_hash(dataset, one) for one in other]
    assert len(set(made)) == len(made)
    ordered = replace(dataset, version="ds-9-ff", open_orders=dataset.open_orders[1:], on_hand={}, receipts=())
    assert records_hash(ordered, replace(ORIGIN, dataset_version="ds-9-ff")) == made[0]
    series = [series_of(one) for one in (dataset, *changed)]
    series += [series_of(dataset, one) for one in other]
    assert {place: series.index(one) for place, one in enumerate(series) if series.index(one) < place} == SAME_SERIES


def series_of(dataset: Dataset, origin: EstimateOrigin = ORIGIN) -> str:
    context = demand_context(dataset)
    histories = list(dataset.demand.values())
    prepared = prepare_catalogue(histories, as_of=dataset.as_of, period=Period.WEEK, horizon=13, context=context)
    return series_hash(prepared, context, origin)


def test_a_clock_within_the_week_and_records_of_that_week_make_no_new_forecast(
    session: LocalSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    warehouse = parts_of(session).warehouse
    planned(session)
    before = warehouse.estimate_contents(active(session), EstimateKind.DEMAND)
    book = EstimateBook(warehouse, DeskSettings().estimating)
    today = warehouse.load_dataset(session.datasets()[0].version)
    nightly = replace(today, version="ds-night", as_of=today.as_of + timedelta(days=2), demand=sold_today(today))
    monkeypatch.setattr(graph.computation.estimates, MADE_ANEW, no_forecast)
    version = book.current(nightly)
    assert warehouse.estimate_contents(version, EstimateKind.DEMAND) == before
    monkeypatch.undo()
    info = warehouse.estimate(version)
    assert hash_of(book._again(info, nightly)) == info.content_hash, "what was taken over is what would be made"
    leads = book.lead_times(version, nightly)
    stored = book.read(version, nightly, [*nightly.items], leads).forecasts
    histories = list(nightly.demand.values())
    anew = forecast_demand(
        histories,
        as_of=nightly.as_of,
        period=info.origin.period,
        horizon=len(stored[0].starts),
        settings=DeskSettings().estimating.forecast,
        context=demand_context(nightly),
    )
    assert {str(cut_at(one, nightly).starts[0]) for one in stored} == {str(nightly.as_of + timedelta(days=1))}
    for one, fresh in zip(stored, anew, strict=True):
        assert np.array_equal(cut_at(one, nightly).paths, cut_at(fresh, nightly).paths)


def sold_today(dataset: Dataset) -> dict[tuple[str, str], DemandHistory]:
    """Its demand, with a sale of two items on the day after the clock."""
    found = dict(dataset.demand)
    for key in list(found)[:2]:
        dates = np.append(found[key].dates, np.datetime64(dataset.as_of + timedelta(days=1), "D"))
        found[key] = DemandHistory(*key, dates, np.append(found[key].quantities, 40.0))
    return found


def cut_at(forecast: DemandForecast, dataset: Dataset) -> DemandForecast:
    return cut(forecast, dataset.as_of)


def test_a_forecast_of_before_closed_days_were_stored_is_cut_where_it_was_then() -> None:
    weeks = np.datetime64("2026-06-29") + 7 * np.arange(3)
    history = PeriodSeries("A", "MAIN", Period.WEEK, weeks, np.ones(3), np.zeros(3, dtype=np.bool_))
    made = DemandForecast(
        "A", "MAIN", Period.WEEK, weeks, np.full((4, 3), 14.0), DemandPattern.SMOOTH, "level", None, history
    )
    [row] = demand_rows([made])
    arrays = from_bytes(row.content)
    del arrays["closed_days"], arrays["rest_days"]
    figures = {"item_id": "A", "site_id": "MAIN", **row.figures}
    edges = np.array([0.5, 1.5, 2.5, 3.5])
    earlier = demand_from(figures, to_bytes({**arrays, "plan_edges": edges}))
    assert edges_of(earlier, date(2026, 7, 2)).tolist() == edges.tolist()
    assert edges_of(earlier, date(2026, 6, 28)).tolist() == edges.tolist()
    oldest = demand_from(figures, to_bytes(arrays))
    assert cut(oldest, date(2026, 7, 2)) is oldest
    assert edges_of(demand_from(figures, row.content), date(2026, 7, 1))[0] == pytest.approx(3 / 7)


def test_a_replay_plans_with_the_stored_distributions_whatever_the_code_has_become(
    session: LocalSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id, version = planned(session)
    monkeypatch.setattr(graph.computation.estimates, MADE_ANEW, no_forecast)
    replay = session.replay(run_id)
    assert replay["identical"] is True
    assert replay["estimates"] == version


def test_a_replay_says_that_dropped_distributions_were_computed_again(
    session: LocalSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id, version = planned(session)
    without_distributions(session)
    replay = session.replay(run_id)
    assert replay["identical"] is True
    assert replay["estimates"] == (
        f"{version}, computed again because its distributions were dropped: they are the same"
    )
    edited_code(monkeypatch)
    replay = session.replay(run_id)
    assert replay["identical"] is False
    assert "the present code makes other ones" in str(replay["estimates"])


def test_a_version_made_active_again_plans_bit_for_bit_as_before_after_the_code_changed(
    session: LocalSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, former = planned(session)
    edited_code(monkeypatch)
    second, newer = planned(session)
    assert newer != former and plan_hash(session, second) != plan_hash(session, first)
    assert session.estimates()[0].parent == former
    session.activate_estimates(former, "ana", "the new code overshoots")
    third, used = planned(session)
    assert used == former
    assert plan_hash(session, third) == plan_hash(session, first)
    assert [session.replay(run_id)["identical"] for run_id in (first, second, third)] == [True, True, True]
    row = next(row for row in session.journal("") if row.event == "activate_estimates")
    assert (row.actor, row.payload["before"], row.payload["reason"]) == ("ana", newer, "the new code overshoots")


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
