"""What customers of the sandbox's world ask for: past buckets of demand, drawn again."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date, timedelta

from erp.sandbox_clock import draw
from tools.domain.arrays import FloatArray
from tools.domain.datasets import Dataset, Period
from tools.forecasting import bucket

LAST_YEARS = 1.0
"""How far back the drawn buckets lie: demand goes on at the level of the latest year, with its lumps."""


def resampled_demand(dataset: Dataset, period: Period, today: date, days: int, seed: int) -> dict[str, list[float]]:
    """Units demanded of each item on each of the days after `today`, for `SandboxErp.advance`.

    Each coming bucket (week counted from the dataset's clock, or calendar month) takes the quantity of a drawn past
    bucket, spread evenly over its days: an item that sells once a month goes on to do so, which its mean on every
    day would not. Items of several sites are left to their means, since the ERP tells items apart only.
    """
    ahead = [today + timedelta(days=day) for day in range(1, days + 1)]
    sites: Mapping[str, list[str]] = defaultdict(list)
    for item_id, site_id in dataset.demand:
        sites[item_id].append(site_id)
    asked: dict[str, list[float]] = {}
    if not ahead:
        return asked
    for (item_id, _), history in dataset.demand.items():
        latest = bucket(history, dataset.as_of, period).quantities[-round(period.per_year * LAST_YEARS) :]
        if latest.size and len(sites[item_id]) == 1:
            asked[item_id] = _drawn(item_id, latest, [_place(day, dataset.as_of, period) for day in ahead], seed)
    return asked


def _drawn(item_id: str, past: FloatArray, places: Sequence[tuple[date, int]], seed: int) -> list[float]:
    return [float(draw(seed, "demand", item_id, start).choice(past)) / length_days for start, length_days in places]


def _place(day: date, as_of: date, period: Period) -> tuple[date, int]:
    """First day and days of the bucket that a day belongs to."""
    if period is Period.MONTH:
        start = day.replace(day=1)
        return start, ((start + timedelta(days=31)).replace(day=1) - start).days
    length_days = int(period.days)
    return as_of + timedelta(days=1 + ((day - as_of).days - 1) // length_days * length_days), length_days
