"""Histories and master data as bad as they come: each gives a forecast with a stated fallback, or a reject."""

import csv
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import closing, contextmanager
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pytest
from demo_home import plan_trigger, settings_of
from jit_command import Jit

from graph.session import LocalSession, open_session
from graph.views.forecasts import ForecastView
from tools.domain.errors import BadInput

AS_OF = date(2026, 6, 28)
Rows = list[tuple[object, ...]]
Table = tuple[Sequence[str], Rows]
Check = Callable[[ForecastView], bool]


def days(count: int) -> list[date]:
    return [AS_OF - timedelta(days=back) for back in reversed(range(count))]


def weeks(count: int) -> list[date]:
    return [AS_OF - timedelta(days=6 + 7 * back) for back in reversed(range(count))]


def months(count: int) -> list[date]:
    places = [AS_OF.year * 12 + AS_OF.month - 2 - back for back in reversed(range(count))]
    return [date(place // 12, place % 12 + 1, 1) for place in places]


def sold(item_id: str, dates: Sequence[date], mean: float) -> Rows:
    units = np.random.default_rng(len(item_id) + len(dates)).poisson(mean, len(dates))
    return [(item_id, day, int(count)) for day, count in zip(dates, units, strict=True)]


CALM = sold("CALM", weeks(104), 50)
OFFER_COLUMNS = ("item_id", "supplier_id", "unit_price", "moq", "lead_time_days")
RECEIPT_COLUMNS = ("order_id", "item_id", "supplier_id", "quantity", "order_date", "receipt_date")


def near(low: float, high: float) -> Check:
    return lambda view: low <= float(np.mean(view.mean)) <= high


def says(*parts: str) -> Check:
    return lambda view: all(part in " | ".join([view.fallback or "", *view.notes]) for part in parts)


def folder(path: Path, tables: Mapping[str, Table]) -> Path:
    path.mkdir(parents=True)
    items = sorted({str(row[0]) for row in tables["demand"][1]} | {str(row[0]) for row in CALM})
    defaults: dict[str, Table] = {
        "items": (("item_id", "unit_value", "family"), [(item_id, 10, "F") for item_id in items]),
        "suppliers": (("supplier_id",), [("S1",), ("S2",)]),
        "offers": (OFFER_COLUMNS, [(item_id, sid, 9, 1, lead) for item_id in items for sid, lead in LEADS]),
        "stock": (("item_id", "on_hand", "as_of"), [(item_id, 20, AS_OF) for item_id in items]),
    }
    for name, (columns, rows) in {**defaults, **tables}.items():
        with (path / f"{name}.csv").open("w", newline="", encoding="utf-8") as stream:
            csv.writer(stream).writerows([columns, *rows])
    return path


LEADS = (("S1", 30), ("S2", 12))


def demand(*more: Rows) -> dict[str, Table]:
    return {"demand": (("item_id", "date", "quantity"), [row for rows in (CALM, *more) for row in rows])}


def kinds(*more: Rows) -> dict[str, Table]:
    rows = [(*row, "sales") for part in (CALM, *more) for row in part]
    return {"demand": (("item_id", "date", "quantity", "kind"), rows)}


QUOTES: Rows = [("CALM", "S1", 9, 1, 30), ("NONE", "S1", 9, 1, 0), ("LONG", "S2", 8, 1, 2000)]
GRAINS = [
    sold("DAILY", days(400), 7),
    sold("MONTHLY", months(30), 217),
    [*sold("SWITCH", months(30)[:18], 217), *sold("SWITCH", days(360), 7)],
]
NONSENSE: Rows = [("CALM", AS_OF + timedelta(days=1 + 7 * ahead), 1e11, "") for ahead in range(20)]
CROSSED: Rows = [("X", AS_OF + timedelta(days=1), 9, 0.9), ("X", AS_OF + timedelta(days=1), 900, 0.1)]

ACCEPTED: dict[str, tuple[dict[str, Table], dict[str, Sequence[Check]]]] = {
    "gaps": (
        demand([row for at, row in enumerate(sold("X", weeks(104), 50)) if not 30 < at < 50]),
        {"X": [near(35, 60)]},
    ),
    "grains": (
        demand(*GRAINS),
        {
            "DAILY": [near(42, 56)],
            "MONTHLY": [near(42, 56), says("30 monthly records spread over their days")],
            "SWITCH": [near(42, 56), says("18 monthly records spread over their days")],
        },
    ),
    "all zero": (demand([("X", day, 0) for day in weeks(104)]), {"X": [near(0, 0), says("no demand in the history")]}),
    "one observation": (
        demand([("X", AS_OF - timedelta(days=40), 7)]),
        {"X": [near(0.2, 20), says("by analogy with 1 item of", "corrected by 6 own periods")]},
    ),
    "three": (demand(sold("X", weeks(3), 50)), {"X": [near(30, 90), says("corrected by 3 own periods")]}),
    "30,000 days": (demand(sold("X", days(30_000), 5)), {"X": [near(31, 39)]}),
    "far past": (
        demand([("X", date(1926, 1, 1) + timedelta(days=7 * week), 5) for week in range(20)]),
        {"X": [near(0, 0), says("discontinued")]},
    ),
    "year one": (
        demand([("X", "0001-01-01", 9), *sold("X", weeks(30), 50), ("X", "9999-12-31", 9)]),
        {"X": [near(42, 58), says("1 row from before a silence of over 5 years left out")]},
    ),
    "huge and tiny": (
        demand([("H", day, 1e12) for day in weeks(60)], [("T", day, 1e-9) for day in weeks(60)]),
        {"H": [near(0.9e12, 1.1e12)], "T": [near(0, 1e-6)], "CALM": [near(45, 60)]},
    ),
    "nonsense forecasts": (
        {
            **demand(sold("X", weeks(104), 50)),
            "forecasts": (("item_id", "date", "quantity", "quantile"), NONSENSE + CROSSED),
        },
        {
            "CALM": [near(45, 56), says("100 times the most that ours holds possible", "left out in 20 periods")],
            "X": [near(45, 80), says("quantiles that crossed were put in order")],
        },
    ),
    "closed for good": (
        {
            **demand(sold("X", weeks(104), 50)),
            "calendar": (
                ("date", "item_id", "closed"),
                [(AS_OF + timedelta(days=ahead), "X", "true") for ahead in range(1, 200)],
            ),
        },
        {"X": [near(0, 0)], "CALM": [near(45, 56)]},
    ),
    "never in stock": (
        {
            **kinds(sold("X", weeks(104), 50)),
            "stock": (("item_id", "on_hand", "as_of"), [("CALM", 9, AS_OF), ("X", 0, "2020-01-01"), ("X", 0, AS_OF)]),
        },
        {"X": [near(45, 56), says("the counts leave no demand in stock")]},
    ),
    "quotes": (
        {**demand(sold("NONE", weeks(104), 5), sold("LONG", weeks(104), 5)), "offers": (OFFER_COLUMNS, QUOTES)},
        {
            "NONE": [lambda view: "no usable lead time and no receipt" in view.lead_time_demand[0].lead_time_source],
            "LONG": [
                lambda view: "quote of 2,000 counts as 730" in view.lead_time_demand[0].lead_time_source,
                lambda view: 400 < view.lead_time_demand[0].mean_units < 650,
            ],
        },
    ),
}

BAD_NUMBERS = ["nan", "inf", "-inf", "-5", "1e300", "abc", ""]
REFUSED: dict[str, tuple[dict[str, Table], list[str]]] = {
    "duplicates": (demand(CALM[:2]), ["is already in row", "add them up"]),
    "no numbers": (
        demand([("X", day, cell) for day, cell in zip(weeks(60), [*BAD_NUMBERS, *["40"] * 53], strict=True)]),
        ["'nan' is not a plain number", "6 more rejected"],
    ),
    "unknown item in the calendar": (
        {**demand(), "calendar": (("date", "item_id", "closed"), [(AS_OF, "GHOST", "true")])},
        ["calendar.csv, row 2, column item_id: the item 'GHOST' is unknown"],
    ),
    "a count without a day": (
        {**demand(), "stock": (("item_id", "on_hand", "as_of"), [("CALM", 0, "2026-01-01"), ("CALM", 3, "")])},
        ["stock.csv, row 3, column as_of: the row names no day"],
    ),
    "receipt before its order": (
        {**demand(), "receipts": (RECEIPT_COLUMNS, [("R1", "CALM", "S1", 5, "2026-05-09", "2026-04-09")])},
        ["the receipt date 2026-04-09 is before the order date 2026-05-09"],
    ),
}


@contextmanager
def imported(path: Path, tables: Mapping[str, Table], *, lenient: bool = False) -> Generator[LocalSession]:
    with closing(open_session(settings_of(path / "home"))) as session:
        session.import_folder(str(folder(path / "in", tables)), as_of=AS_OF, lenient=lenient)
        yield session


@pytest.mark.parametrize("name", ACCEPTED)
def test_a_bad_history_gives_a_stated_forecast_and_leaves_the_other_items_alone(name: str, tmp_path: Path) -> None:
    tables, expected = ACCEPTED[name]
    with imported(tmp_path, tables) as session:
        run_id = session.start(plan_trigger())
        assert session.plan(run_id).run.status in ("waiting", "done")
        for item_id, checks in {"CALM": [near(44, 60)], **expected}.items():
            view = session.forecast(item_id)
            figures = [view.mean, *view.quantiles.values()]
            assert np.isfinite(figures).all() and np.min(figures) >= 0
            for check in checks:
                assert check(view), (item_id, view.fallback, view.notes, view.mean, view.lead_time_demand)
        assert len(session.forecasts()) == len(expected.keys() | {"CALM"})
        assert len(session.estimates()) == 1
        assert session.backtest()


@pytest.mark.parametrize("name", REFUSED)
def test_a_bad_row_is_refused_with_its_place_and_the_good_ones_are_forecast_on_request(
    name: str, tmp_path: Path
) -> None:
    tables, reasons = REFUSED[name]
    with pytest.raises(BadInput) as refused, imported(tmp_path / "strict", tables):
        pass
    told = f"{refused.value} {refused.value.remedy}"
    assert all(reason in told for reason in reasons), told
    with imported(tmp_path / "lenient", tables, lenient=True) as session:
        for item_id in sorted({str(row[0]) for row in tables["demand"][1]}):
            assert near(30, 60)(session.forecast(item_id))
        assert session.backtest()


def test_an_item_without_demand_rows_is_told_with_the_remedy_and_the_others_are_planned(tmp_path: Path) -> None:
    tables: dict[str, Table] = {**demand(), "items": (("item_id",), [("CALM",), ("SILENT",)])}
    with imported(tmp_path, tables) as session:
        assert session.plan(session.start(plan_trigger())).lines
        with pytest.raises(BadInput, match="Item SILENT has no demand history"):
            session.forecast("SILENT")


@pytest.mark.parametrize(
    ("dates", "mean", "period", "low", "high"),
    [(weeks(10), 50, "week", 40, 60), (days(200), 7, "week", 42, 56), (months(40), 200, "month", 180, 220)],
    ids=["ten weeks", "days", "months"],
)
def test_one_item_alone_is_forecast_at_its_level_in_the_right_period(
    dates: list[date], mean: float, period: str, low: float, high: float, tmp_path: Path
) -> None:
    tables: dict[str, Table] = {"demand": (("item_id", "date", "quantity"), sold("CALM", dates, mean))}
    with imported(tmp_path, tables) as session:
        session.start(plan_trigger())
        view = session.forecast("CALM")
    assert view.period == period
    assert all(low <= units <= high for units in view.mean)
    assert max(view.quantiles["0.975"]) < 3 * high


def test_the_command_shows_every_fallback_and_note(tmp_path: Path) -> None:
    jit, tables = Jit(tmp_path / "home"), ACCEPTED["nonsense forecasts"][0]
    tables = {**tables, "demand": (tables["demand"][0], [*tables["demand"][1], ("NEW", AS_OF - timedelta(days=40), 7)])}
    for arguments in (("import", folder(tmp_path / "in", tables), "--as-of", str(AS_OF)), ("plan",)):
        assert jit(*arguments).returncode == 0
    for item_id, told in (("CALM", "left out in 20 periods"), ("X", "were put in order"), ("NEW", "with 2 items of")):
        shown = jit("forecast", item_id)
        assert shown.returncode == 0 and told in " ".join(shown.stdout.split()), shown.stdout
