"""Runs of a few items, and code that seems to have been edited."""

from datetime import timedelta

import numpy as np
import pytest
from demo_home import plan_trigger

import graph.computation.estimates
from graph.computation.estimates import demand_context, series_hash
from graph.parts import Parts
from graph.session import LocalSession
from store.estimates import EstimateOrigin
from tools.domain.datasets import Dataset, DemandHistory, Period
from tools.forecasting import DemandForecast
from tools.forecasting.planned import planned as cut
from tools.forecasting.preparation import prepare_catalogue

MADE_ANEW = "fitted_catalogue"
SAME_SERIES = {4: 0, 5: 0, 9: 8, 11: 10, 12: 10}
"""Which of the changes say the same of whole weeks: a clock one day or one unreported week on, and days without stock
in weeks that had others."""
ORIGIN = EstimateOrigin("ds-1-aa", "1", {"period": "week"}, 7, "1")


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


def series_of(dataset: Dataset, origin: EstimateOrigin = ORIGIN) -> str:
    context = demand_context(dataset)
    histories = list(dataset.demand.values())
    prepared = prepare_catalogue(histories, as_of=dataset.as_of, period=Period.WEEK, horizon=13, context=context)
    return series_hash(prepared, context, origin)


def sold_today(dataset: Dataset) -> dict[tuple[str, str], DemandHistory]:
    """Its demand, with a sale of two items on the day after the clock."""
    found = dict(dataset.demand)
    for key in list(found)[:2]:
        dates = np.append(found[key].dates, np.datetime64(dataset.as_of + timedelta(days=1), "D"))
        found[key] = DemandHistory(*key, dates, np.append(found[key].quantities, 40.0))
    return found


def cut_at(forecast: DemandForecast, dataset: Dataset) -> DemandForecast:
    return cut(forecast, dataset.as_of)
