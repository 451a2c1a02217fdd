"""Recorded demand that forecasts are scored on: real records beside the checkout, else a generated past."""

import os
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import duckdb
import numpy as np

from evals.worlds.demo import make_demo_world
from tools.domain.datasets import DemandHistory, Period, PeriodSeries
from tools.forecasting.backtest import origin_dates, until
from tools.forecasting.history import bucket_all

ORIGINS = 3
LEAST_PERIODS = 12
LEAST_DEMANDS = 3
"""Periods of history, and of them with demand, before the first origin."""


@dataclass(frozen=True)
class DemandRecords:
    """A catalogue, its clock, and the rolling origins before it.

    The origins before `held_out` end where the ones for development begin: nothing tuned on the development origins
    has seen a period that the held-out ones are scored on.
    """

    name: str
    histories: tuple[DemandHistory, ...]
    period: Period
    held_out: date
    """Newest clock; the last scored period ends here."""
    development: date
    horizon: int
    step: int
    spans: tuple[int, ...]
    """Lead times in periods."""

    def clock(self, development: bool) -> date:
        """The day up to which this split of the records is known."""
        return self.development if development else self.held_out

    def active(self, development: bool) -> tuple[DemandHistory, ...]:
        """Items whose past at the first origin holds enough to be forecast by any model, cut at the split's clock.

        At least 12 periods since the first record, demand in 3 of them, and demand in the last year.
        """
        clock = self.clock(development)
        first = origin_dates(clock, self.period, self.horizon, ORIGINS, self.step)[-1]
        past = bucket_all([until(history, first) for history in self.histories], first, self.period)
        return tuple(until(h, clock) for h, series in zip(self.histories, past, strict=True) if _enough(series))


def _enough(series: PeriodSeries) -> bool:
    values = series.quantities
    recent = values[-int(series.period.per_year) :]
    return values.size >= LEAST_PERIODS and int((values > 0).sum()) >= LEAST_DEMANDS and bool(recent.any())


def real_records_folder() -> Path:
    """Where the real records lie; absent in most places."""
    return Path(os.environ.get("JIT_SHARED_DATA", Path(__file__).parents[3] / "shared" / "data"))


def all_records() -> tuple[DemandRecords, ...]:
    """The real records where they are there, else two years of a generated distribution centre."""
    folder = real_records_folder()
    found = [make(folder) for name, make in _REAL.items() if (folder / name).is_dir()]
    return tuple(found) or (generated_past(),)


def online_retail(folder: Path) -> DemandRecords:
    """Weekly units ordered of some 2,500 gift articles, 43 weeks (Chen, Sain and Guo 2012)."""
    table = folder / "online_retail"
    query = f"""select sku, date, units_ordered from '{table}/daily.parquet'
        where sku in (select sku from '{table}/items.parquet') order by sku, date"""  # noqa: S608 (a path of ours)
    histories = _histories(duckdb.connect().execute(query).fetchall(), "SHOP")
    clock, before = date(2011, 9, 30), date(2011, 7, 8)
    return DemandRecords("online_retail", histories, Period.WEEK, clock, before, 8, 2, (4, 8))


def scms(folder: Path) -> DemandRecords:
    """Monthly packs delivered by item, health programmes, 2006 to 2013."""
    query = f"""select item_norm, delivered_date, sum(qty_packs) from '{folder}/scms/shipments_to_2013.parquet'
        group by all order by all"""  # noqa: S608 (a path of ours)
    histories = _histories(duckdb.connect().execute(query).fetchall(), "ALL")
    return DemandRecords("scms", histories, Period.MONTH, date(2013, 12, 31), date(2012, 12, 31), 6, 3, (3, 6))


def demo_rdc(folder: Path) -> DemandRecords:
    """Monthly demand of 14 items of a regional distribution centre, 2008 to 2013."""
    query = f"select item_id, date, quantity from '{folder}/demo_rdc/demand.csv' order by item_id, date"  # noqa: S608
    histories = _histories(duckdb.connect().execute(query).fetchall(), "RDC")
    return DemandRecords("demo_rdc", histories, Period.MONTH, date(2013, 12, 31), date(2012, 12, 31), 6, 3, (3, 6))


_REAL = {"online_retail": online_retail, "scms": scms, "demo_rdc": demo_rdc}


def generated_past(items: int = 120) -> DemandRecords:
    """Two years of weeks of a generated distribution centre, for who has no real records."""
    world = make_demo_world(seed=7, items=items)
    clock, histories = world.dataset.as_of, tuple(world.dataset.demand.values())
    before = (np.datetime64(clock) - 7 * 12).astype(date)
    return DemandRecords("generated", histories, Period.WEEK, clock, before, 8, 2, (4, 8))


def _histories(rows: Iterable[Sequence[object]], site_id: str) -> tuple[DemandHistory, ...]:
    found: dict[str, list[tuple[np.datetime64, float]]] = defaultdict(list)
    for item_id, day, units in rows:
        found[str(item_id)].append((np.datetime64(str(day)[:10]), float(str(units))))
    return tuple(
        DemandHistory(item, site_id, np.array([d for d, _ in pairs]), np.array([units for _, units in pairs]))
        for item, pairs in found.items()
    )
