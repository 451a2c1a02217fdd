"""Estimate versions in runs: pinned, made active again, held on to, dropped, and always planned with as stored."""

from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pytest
from demo_home import plan_trigger
from integration.runs.estimate_cases import (
    MADE_ANEW,
    ORIGIN,
    SAME_SERIES,
    active,
    cut_at,
    edited_code,
    no_forecast,
    parts_of,
    plan_hash,
    planned,
    series_of,
    sold_today,
    without_distributions,
)

import graph.computation.estimates
from evals.worlds.demo import make_demo_world
from graph.computation.desk import DeskSettings
from graph.computation.distributions import demand_from, demand_rows
from graph.computation.estimates import EstimateBook, demand_context, records_hash
from graph.session import LocalSession
from store.arrays import from_bytes, to_bytes
from store.estimates import EstimateKind, hash_of
from tools.domain.datasets import DemandHistory, Period, PeriodSeries, UserForecast
from tools.forecasting import DemandForecast, DemandPattern, forecast_demand
from tools.forecasting.planned import edges_of
from tools.forecasting.planned import planned as cut
from tools.forecasting.preparation.closures import ClosedDays


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


def test_a_stored_forecast_is_cut_by_its_own_closed_days() -> None:
    weeks = np.datetime64("2026-06-29") + 7 * np.arange(3)
    history = PeriodSeries("A", "MAIN", Period.WEEK, weeks, np.ones(3), np.zeros(3, dtype=np.bool_))
    made = DemandForecast(
        "A", "MAIN", Period.WEEK, weeks, np.full((4, 3), 14.0), DemandPattern.SMOOTH, "level", None, history
    )
    for days, rests, share in (((), (5, 6), 3 / 5), ((), (), 3 / 7), (("2026-06-30",), (6,), 2 / 5)):
        closed = ClosedDays(np.array(days, dtype="datetime64[D]").astype(np.int64), rests)
        [row] = demand_rows([replace(made, closed=closed)])
        stored = demand_from({"item_id": "A", "site_id": "MAIN", **row.figures}, row.content)
        assert edges_of(stored, date(2026, 7, 1))[0] == pytest.approx(share)
