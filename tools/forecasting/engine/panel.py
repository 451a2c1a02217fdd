"""Many series of one period as one array, newest value last, so that a whole catalogue is forecast at once."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tools.domain.arrays import FloatArray, IntArray
from tools.domain.datasets import Period

RECENT_PERIODS = {Period.DAY: 728, Period.WEEK: 208, Period.MONTH: 120}
"""At most this much of a history is used: two to ten years."""


@dataclass(frozen=True)
class Panel:
    """N series, right-aligned: column n-1 of every row is the newest period."""

    values: FloatArray
    """(N, n) units; nan before a row's first period and wherever demand is unknown."""
    first: IntArray
    """(N,) column of each row's first period; n for a row without history."""
    period: Period

    @property
    def size(self) -> int:
        """N."""
        return self.values.shape[0]

    @property
    def width(self) -> int:
        """N."""
        return self.values.shape[1]

    def rows(self, part: slice) -> "Panel":
        """Some of the rows."""
        return Panel(self.values[part], self.first[part], self.period)


def panel_of(series: Sequence[FloatArray], period: Period, recent: int | None = None) -> Panel:
    """Arrange series (n_i,) of one period side by side; only the latest `recent` values of each are kept."""
    most = recent or RECENT_PERIODS[period]
    width = min(max((values.size for values in series), default=0), most)
    table = np.full((len(series), width), np.nan)
    first = np.full(len(series), width, dtype=np.int64)
    for row, values in enumerate(series):
        kept = values[-width:] if width else values[:0]
        if kept.size:
            kept = kept[int(np.argmax(~np.isnan(kept))) :]  # unknown periods before the first known one are no history
            table[row, width - kept.size :] = kept
            first[row] = width - kept.size
    return Panel(table, first, period)
