"""The same weekly folder imported on one day or the next gives the same history, the same forecast and like orders.

What moves with the clock is what must: the plan's weeks begin on the day after it, so an order placed a day later
also arrives a day later, and the days between the last report and the clock are passed over. The level that the plan
rests on stays, and so do the orders but for what a finite number of sample paths says of other weeks of them.
"""

import csv
import json
from collections.abc import Generator
from contextlib import closing, contextmanager
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pytest
from demo_home import plan_trigger, settings_of
from jit_command import Jit

from graph.session import LocalSession, open_session
from graph.views.forecasts import ForecastView

COMPLETE = date(2026, 6, 28)
"""The Sunday that ends the newest week of the folder."""
CLOCKS = [COMPLETE + timedelta(days=days) for days in range(7)]
ITEMS = {"FAST": 60.0, "SLOW": 9.0, "RARE": 0.4}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two years of weeks dated on their Monday; weeks without demand have no row, as exports have none."""
    path, rng = tmp_path_factory.mktemp("weekly"), np.random.default_rng(11)
    mondays = [COMPLETE - timedelta(days=6 + 7 * back) for back in reversed(range(104))]
    demand = [
        (item, monday, int(units))
        for item, mean in ITEMS.items()
        for monday, units in zip(mondays, rng.poisson(mean, 104), strict=True)
        if units or item == "FAST"
    ]
    tables = {
        "items": (("item_id", "unit_value"), [(item, 20) for item in ITEMS]),
        "suppliers": (("supplier_id",), [("S1",)]),
        "offers": (
            ("item_id", "supplier_id", "unit_price", "moq", "lead_time_days"),
            [(item, "S1", 18, 1, 21) for item in ITEMS],
        ),
        "stock": (("item_id", "on_hand", "as_of"), [(item, round(2 * mean), COMPLETE) for item, mean in ITEMS.items()]),
        "demand": (("item_id", "date", "quantity"), demand),
    }
    for name, (columns, rows) in tables.items():
        with (path / f"{name}.csv").open("w", newline="", encoding="utf-8") as stream:
            csv.writer(stream).writerows([columns, *rows])
    return path


@contextmanager
def imported(home: Path, folder: Path, clock: date) -> Generator[LocalSession]:
    with closing(open_session(settings_of(home))) as session:
        session.import_folder(str(folder), as_of=clock)
        yield session


def told(view: ForecastView) -> dict[str, object]:
    names = ("period", "model", "fallback", "notes", "history_dates", "history", "dates", "mean", "quantiles")
    return {name: getattr(view, name) for name in names}


def test_history_forecast_and_orders_hold_over_the_week_that_follows(folder: Path, tmp_path: Path) -> None:
    forecasts: list[dict[str, object]] = []
    ordered: dict[date, dict[str, float]] = {}
    for clock in CLOCKS:
        with imported(tmp_path / str(clock), folder, clock) as session:
            plan = session.plan(session.start(plan_trigger()))
            ordered[clock] = {line.item_id: line.quantity for line in plan.lines}
            forecasts.append({item: told(session.forecast(item)) for item in ITEMS})
    assert all(found == forecasts[0] for found in forecasts[1:])
    assert ordered[COMPLETE].keys() >= {"FAST", "SLOW"}
    for clock in CLOCKS[1:]:
        assert ordered[clock]["FAST"] == pytest.approx(ordered[COMPLETE]["FAST"], rel=0.05), clock
        assert ordered[clock]["SLOW"] == pytest.approx(ordered[COMPLETE]["SLOW"], abs=0.7 * ITEMS["SLOW"]), clock
        assert ordered[clock]["RARE"] == ordered[COMPLETE]["RARE"]


def test_the_command_forecasts_the_same_on_two_days_and_says_how_demand_is_dated(folder: Path, tmp_path: Path) -> None:
    found: list[object] = []
    for clock in ("2026-06-29", "2026-06-30"):
        jit = Jit(tmp_path / clock)
        report = jit("import", folder, "--as-of", clock)
        assert report.returncode == 0, report.stderr
        said = " ".join(report.stdout.split())
        assert "Demand: weekly, dated on the Monday that begins the week, 3 items; reported up to the week" in said
        assert "the week of 22 June 2026." in said
        view = json.loads(jit("forecast", "FAST", "--json").stdout)
        found.append([view[name] for name in ("history", "dates", "mean", "quantiles")])
    assert found[0] == found[1]


def test_the_report_in_json_holds_the_same_words(folder: Path, tmp_path: Path) -> None:
    report = json.loads(Jit(tmp_path / "home")("import", folder, "--as-of", "2026-07-06", "--json").stdout)
    assert report["demand"][1:] == ["1 week since then has no report yet: forecast, not counted as no demand."]
