"""Demand that stock-outs hid: what was sold without stock is at most what was asked for.

Periods with too few days in stock say nothing and become unknown; the others are scaled to a full period in stock,
which estimates the demand rate without bias where the days out of stock are like the days in stock.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from tools.domain.arrays import DateArray, FloatArray
from tools.forecasting.preparation.buckets import Buckets
from tools.forecasting.preparation.records import Notes, counted

LEAST_IN_STOCK = 0.5
"""Share of a period's days in stock below which it says nothing."""
RECORDED_ALL_THE_SAME = 0.5
"""Share of the usual demand recorded without stock above which the records are of demand, not of sales."""
ALL_HIDDEN = "days without stock were passed over: the counts leave no demand in stock, and units went out all the same"

Key = tuple[str, str]


def uncensor(
    buckets: Buckets,
    values: FloatArray,
    keys: Sequence[Key],
    stockouts: Mapping[Key, DateArray],
    notes: Notes,
) -> None:
    """Scale or blank the periods of `values` (N,) in which stock was missing, in place; never below the record.

    Counts that would leave an item no demand at all are not believed: its records are.
    """
    places = [place for place, key in enumerate(keys) if key in stockouts and stockouts[key].size]
    shares = {place: shares_in_stock(buckets, place, stockouts[keys[place]]) for place in places}
    shares = {place: share for place, share in shares.items() if (share < 1.0).any()}
    if not shares or _records_demand(buckets, values, shares, notes):
        return
    for place, share in shares.items():
        part = values[buckets.of(place)]
        recorded = part.copy()
        unknown, scaled = uncensored(part, share)
        told = _words(buckets, unknown, scaled)
        if (recorded > 0).any() and not (part > 0).any():
            part[:] = recorded
            told = ALL_HIDDEN
        notes.setdefault(place, []).append(told)


def uncensored(part: FloatArray, share: FloatArray) -> tuple[int, int]:
    """Correct one series (n,) by its shares of days in stock, in place; periods made unknown, and scaled.

    A period that sold more than usual before stock ran out stays as recorded: to drop it would drop high demand.
    """
    enough = share >= LEAST_IN_STOCK
    scaled = enough & (share < 1.0) & (part > 0)
    part[scaled] /= share[scaled]
    seen = part[enough & ~np.isnan(part)]
    usual = float(seen.mean()) if seen.size else np.inf
    unknown = ~enough & ~(part > usual)
    part[unknown] = np.nan
    return int(unknown.sum()), int(scaled.sum())


def _words(buckets: Buckets, unknown: int, scaled: int) -> str:
    period = buckets.period.value
    return f"days without stock: {counted(unknown, period)} unknown, {counted(scaled, period)} scaled up to full stock"


def shares_in_stock(buckets: Buckets, place: int, days: DateArray) -> FloatArray:
    """(n,) share of each period's days with stock."""
    edges = buckets.edges[buckets.starts.size - int(buckets.sizes[place]) :]
    out = np.diff(np.searchsorted(np.unique(days.astype("datetime64[D]")), edges))
    lengths = np.diff(edges).astype(np.int64)
    return 1.0 - out / lengths


def _records_demand(buckets: Buckets, values: FloatArray, shares: Mapping[int, FloatArray], notes: Notes) -> bool:
    """Whether as much was recorded without stock as with it: then nothing was hidden. Judged on all items at once."""
    recorded = usual = 0.0
    for place, share in shares.items():
        part = values[buckets.of(place)]
        known = ~np.isnan(part)
        full, empty = part[known & (share >= 1.0)], part[known & (share <= 0.0)]
        if full.size and full.mean() > 0:
            recorded += float(empty.sum() / full.mean())
            usual += empty.size
    if usual == 0 or recorded < RECORDED_ALL_THE_SAME * usual:
        return False
    for place in shares:
        notes.setdefault(place, []).append(
            "days without stock were passed over: demand was recorded on such days as on any other"
        )
    return True
