"""Promotions: how much more was asked for on promoted days, taken out of history and put on the future.

A period's demand is taken to be base · (1 + r · share), with `share` the part of its days that was promoted and
`r` the item's uplift: demand above the base over the base that was promoted, drawn towards that of the family,
which is drawn towards that of the catalogue, which is drawn towards 0 where promotions were few.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from tools.domain.arrays import DateArray, FloatArray, IntArray
from tools.domain.datasets import CalendarDay
from tools.forecasting.preparation.buckets import Buckets
from tools.forecasting.preparation.records import Notes, counted
from tools.rhythm.grid import epoch_day

PRIOR_PERIODS = 2.0
"""Wholly promoted periods that a pool's uplift counts for against an item's own."""
BASE_PERIODS = 4
"""Unpromoted periods on either side whose mean is the base of a promoted one."""
LEAST_UPLIFT, LARGEST_UPLIFT = -0.8, 19.0
"""Bounds of r: no promotion takes more than four fifths or brings more than twentyfold."""


@dataclass(frozen=True, slots=True)
class Promoted:
    """The promoted shares of one series' periods and what its history shows of the uplift."""

    place: int
    past: FloatArray
    """(n,) promoted share of each period."""
    future: FloatArray
    """(T,)."""
    gained: float
    """Demand above the base, in units of the base."""
    periods: float
    """Wholly promoted periods that it was gained in."""


def read_promotions(
    calendar: Sequence[CalendarDay],
    item_ids: Sequence[str],
    buckets: Buckets,
    values: FloatArray,
    ahead: DateArray,
) -> list[Promoted]:
    """Every series that was or will be promoted; `ahead` (T + 1,) are the edges of the future periods."""
    days: dict[str | None, list[int]] = {}
    for row in calendar:
        if row.promotion:
            days.setdefault(row.item_id or None, []).append(epoch_day(row.day))
    common = days.pop(None, [])
    found: list[Promoted] = []
    for place, item_id in enumerate(item_ids):
        if common or item_id in days:
            marked = np.unique(np.array([*common, *days.get(item_id, [])], dtype=np.int64))
            made = _promoted(place, marked, buckets, values, ahead)
            if made.past.any() or made.future.any():
                found.append(made)
    return found


def _promoted(place: int, days: IntArray, buckets: Buckets, values: FloatArray, ahead: DateArray) -> Promoted:
    part = values[buckets.of(place)]
    past = _shares(days, buckets.edges[buckets.starts.size - part.size :])
    gained, periods = gain(part, past)
    return Promoted(place, past, _shares(days, ahead), gained, periods)


def _shares(days: IntArray, edges: DateArray) -> FloatArray:
    bounds = edges.view(np.int64)
    return np.diff(np.searchsorted(days, bounds)) / np.maximum(np.diff(bounds), 1)


def gain(values: FloatArray, share: FloatArray) -> tuple[float, float]:
    """Demand above the base in promoted periods, in units of the base, and the wholly promoted periods it took."""
    plain = np.flatnonzero((share <= 0) & ~np.isnan(values))
    marked = np.flatnonzero((share > 0) & ~np.isnan(values))
    if not plain.size or not marked.size:
        return 0.0, 0.0
    sums = np.concatenate([[0.0], np.cumsum(values[plain])])
    at = np.searchsorted(plain, marked)
    low, high = np.maximum(at - BASE_PERIODS, 0), np.minimum(at + BASE_PERIODS, plain.size)
    base = (sums[high] - sums[low]) / (high - low)
    exposed = float((base * share[marked]).sum())
    if exposed <= 0:
        return 0.0, 0.0
    periods = float(share[marked].sum())
    return float((values[marked] - base).sum()) / exposed * periods, periods


def uplifts(found: Sequence[Promoted], families: Sequence[str]) -> FloatArray:
    """(P,) uplift r of each promoted series; `families` (P,) are empty for items that stand alone.

    A pool is made of the others, so that an item's own luck does not confirm itself.
    """
    gained = np.array([made.gained for made in found])
    periods = np.array([made.periods for made in found])
    others = (gained.sum() - gained) / (periods.sum() - periods + PRIOR_PERIODS)
    _, codes = np.unique(np.array(families), return_inverse=True)
    alone = np.array([not family for family in families])
    gained_beside = np.where(alone, 0.0, np.bincount(codes, gained)[codes] - gained)
    periods_beside = np.where(alone, 0.0, np.bincount(codes, periods)[codes] - periods)
    pooled = (gained_beside + PRIOR_PERIODS * others) / (periods_beside + PRIOR_PERIODS)
    return np.clip((gained + PRIOR_PERIODS * pooled) / (periods + PRIOR_PERIODS), LEAST_UPLIFT, LARGEST_UPLIFT)


def without_promotions(
    found: Sequence[Promoted],
    item_ids: Sequence[str],
    families: Mapping[str, str],
    buckets: Buckets,
    values: FloatArray,
    notes: Notes,
) -> dict[int, FloatArray]:
    """Take the uplift out of `values` (N,), in place; place to the factors (T,) on its future."""
    if not found:
        return {}
    made = uplifts(found, [families.get(item_ids[each.place], "") for each in found])
    factors: dict[int, FloatArray] = {}
    for each, uplift in zip(found, made.tolist(), strict=True):
        values[buckets.of(each.place)] /= 1.0 + uplift * each.past
        factors[each.place] = 1.0 + uplift * each.future
        past, coming = int(np.count_nonzero(each.past)), int(np.count_nonzero(each.future))
        notes.setdefault(each.place, []).append(
            f"promotions multiply demand by {1 + uplift:.2f} (from {counted(past, f'promoted {buckets.period.value}')} "
            f"of its own, drawn towards those of its family and the catalogue); {coming} are coming"
        )
    return factors
