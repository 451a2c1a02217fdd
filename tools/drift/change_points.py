"""The inner loops of the drift detectors: a change-point test on normal scores and a tabular CUSUM.

Many series lie behind each other in one array, oldest observation first; `ends` (series,) says where each ends.
Compiled on first use and cached on disk by numba: 100,000 observations take about 0.1 s.
"""

import numpy as np
from scipy.special import ndtri

from tools.domain.arrays import FloatArray, IntArray
from tools.kernels import kernel

MOST_AUTOCORRELATION = 0.6
"""Above this a series looks like a random walk, in which no change of level can be told from the noise."""
CONFIRMING = 6
"""Observations after an alarm by which it is seen whether the change lasted."""
STILL_CHANGED = 0.7
"""It did when one of them lies on the new side of a former one with at least this probability: half-way between
no change (0.5) and one of 1.5 standard deviations (0.86)."""
LARGEST_ERROR = 3.0
"""A standardised error counts at most this in the CUSUM, so that one shock is no bias."""


def normal_scores(most: int) -> FloatArray:
    """(most + 1, 2 * most + 1) Blom's normal score of twice a mid-rank among n observations, nan where none is."""
    table = np.full((most + 1, 2 * most + 1), np.nan)
    for n in range(1, most + 1):
        ranks = np.arange(2, 2 * n + 1) / 2
        table[n, 2 : 2 * n + 1] = ndtri((ranks - 0.375) / (n + 0.25))
    return table


@kernel()
def _lasted(
    values: FloatArray, first: int, since: int, alarmed: int, now: int, risen: bool
) -> bool:  # pragma: no cover - compiled
    """Whether the observations after the alarm stayed on the new side of those before the onset."""
    higher = 0.0
    for i in range(first, since):
        for j in range(alarmed + 1, now):
            higher += (values[j] > values[i]) + 0.5 * (values[j] == values[i])
    share = higher / ((since - first) * CONFIRMING)
    return (share if risen else 1.0 - share) >= STILL_CHANGED


@kernel()
def _rank(values: FloatArray, low: int, now: int, below: IntArray, equal: IntArray) -> None:  # pragma: no cover
    """How many of the observations from `low` up to `now` lie below each of them, and how many are equal to it."""
    for i in range(low, now):
        below[i], equal[i] = 0, 0
        for j in range(low, now):
            below[i] += values[j] < values[i]
            equal[i] += values[j] == values[i]


@kernel()
def _leave_out(values: FloatArray, low: int, now: int, below: IntArray, equal: IntArray) -> None:  # pragma: no cover
    """Take the oldest observation out of the ranks of those after it."""
    for i in range(low + 1, now):
        below[i] -= values[i] > values[low]
        equal[i] -= values[i] == values[low]


@kernel()
def _take_in(values: FloatArray, low: int, now: int, below: IntArray, equal: IntArray) -> None:  # pragma: no cover
    """Rank the newest observation among those before it."""
    for i in range(low, now):
        below[now] += values[i] < values[now]
        below[i] += values[i] > values[now]
        equal[now] += values[i] == values[now]
        equal[i] += values[i] == values[now]


@kernel()
def _score(
    scores: FloatArray, below: IntArray, equal: IntArray, low: int, n: int, a: FloatArray
) -> float:  # pragma: no cover - compiled
    """Centred normal scores of n observations into `a`; gives their variance."""
    mean = 0.0
    for i in range(n):
        a[i] = scores[n, 2 * below[low + i] + equal[low + i] + 1]
        mean += a[i] / n
    variance = 0.0
    for i in range(n):
        a[i] -= mean
        variance += a[i] * a[i] / (n - 1)
    return variance


@kernel(error_model="numpy")
def _autocorrelation(a: FloatArray, calm: int, allowance: float) -> float:  # pragma: no cover - compiled
    """At lag 1 of the first `calm` scores, less `allowance` standard errors, between 0 and the most allowed."""
    settled = 0.0
    for i in range(calm):
        settled += a[i] / calm
    squares, products = 0.0, 0.0
    for i in range(calm):
        squares += (a[i] - settled) ** 2
        if i > 0:
            products += (a[i] - settled) * (a[i - 1] - settled)
    r = products / squares + 1.0 / calm - allowance / np.sqrt(calm) if squares > 0.0 else 0.0
    return min(max(r, 0.0), MOST_AUTOCORRELATION)


@kernel(error_model="numpy")
def _largest_change(
    a: FloatArray, n: int, longest: int, variance: float, r: float
) -> tuple[float, int]:  # pragma: no cover - compiled
    """The largest z of the last m scores against those before, m from 2 to `longest`, and its m; 0 without one."""
    total, best, length = 0.0, 0.0, 0
    for m in range(1, longest + 1):
        total += a[n - m]
        rest = n - m
        spread = (1 + r) / (1 - r) * (1.0 / m + 1.0 / rest)
        spread -= 2 * r / (1 - r) ** 2 * ((1 - r**m) / m**2 + (1 - r**rest) / rest**2)
        # total / m is the last ones' mean, -total / rest that of the others
        z = total * (1.0 / m + 1.0 / rest) / np.sqrt(variance * spread)
        if m > 1 and abs(z) > abs(best):
            best, length = z, m
    return best, length


@kernel("i8(f8[::1], i8[::1], f8[:,::1], i8, i8, i8, f8, f8, i8[:,::1], f8[::1])", error_model="numpy")
def scan_changes(
    values: FloatArray,
    ends: IntArray,
    scores: FloatArray,
    least: int,
    baseline: int,
    onsets: int,
    limit: float,
    allowance: float,
    places: IntArray,
    statistics: FloatArray,
) -> int:  # pragma: no cover - compiled
    """Alarms of each series by a change-point test; gives their number k.

    Fills `places` (k, 3) with where the former regime begins, the onset and the alarm, and `statistics` (k,) with z.
    At every observation, the last m of them are compared with those before, for every m from 2 (one observation is
    no change) up to `onsets`. All are ranked together, so the test does not depend on how they are distributed
    (Hawkins & Deng 2010, with van der Waerden scores a): z_m = sum over the last m of (a - mean a) /
    sqrt(var a * m * (n - m) / n). Its spread is widened by the lag-1 autocorrelation r of the older two thirds,
    less `allowance` standard errors. The largest |z_m| above the limit is an alarm; its m gives the onset, from
    which the new regime is the baseline; but when the `CONFIRMING` observations after the alarm went back, the
    former one is it again, with all since. An onset lies after the last alarm. `values` holds no nan.
    """
    size, count, begin = baseline + onsets, 0, 0
    below, equal = np.zeros(values.size, dtype=np.int64), np.ones(values.size, dtype=np.int64)
    a = np.empty(size)
    for series in range(ends.size):
        low = regime = former = begin
        since, alarmed, told, risen = begin, -1, begin - 1, True
        for now in range(begin, ends[series]):
            if alarmed >= 0 and now == alarmed + CONFIRMING + 1:
                if not _lasted(values, max(former, since - baseline), since, alarmed, now, risen):
                    regime, low = former, max(former, now - size)
                    _rank(values, low, now, below, equal)
                alarmed = -1
            while low < max(regime, now - size + 1):
                _leave_out(values, low, now, below, equal)
                low += 1
            _take_in(values, low, now, below, equal)
            n = now - low + 1
            variance = _score(scores, below, equal, low, n, a) if n > least else 0.0
            if variance <= 0.0:
                continue
            r = _autocorrelation(a, max(n - onsets, 2 * n // 3), allowance)
            best, length = _largest_change(a, n, min(onsets, n - least, now - told), variance, r)
            if length > 0 and abs(best) > limit:
                former, since, alarmed, told, risen = regime, now - length + 1, now, now, best > 0.0
                regime = since
                places[count, 0], places[count, 1], places[count, 2] = former, since, now
                statistics[count] = best
                count += 1
        begin = ends[series]
    return count


def tabular_cusum(standardised: FloatArray, slack: float) -> tuple[FloatArray, FloatArray]:
    """Upper and lower sums (n,) about a target of zero (Montgomery, Statistical Quality Control, eq. 9.2 and 9.3)."""
    upper, lower = np.zeros(standardised.size), np.zeros(standardised.size)
    above = below = 0.0
    for place, value in enumerate(standardised):
        above, below = max(0.0, above + value - slack), max(0.0, below - value - slack)
        upper[place], lower[place] = above, below
    return upper, lower


@kernel("i8(f8[::1], i8[::1], i8, i8, f8, f8, i8[:,::1], f8[::1])", error_model="numpy")
def scan_biases(
    errors: FloatArray,
    ends: IntArray,
    least: int,
    baseline: int,
    slack: float,
    limit: float,
    places: IntArray,
    statistics: FloatArray,
) -> int:  # pragma: no cover - compiled
    """Alarms of a two-sided tabular CUSUM about zero; fills the same as `scan_changes`.

    Each error is divided by the root mean square of up to `baseline` errors before it, once there are `least`.
    The onset is the first error after the sum last stood at zero; both sums start again after an alarm.
    """
    count, begin = 0, 0
    for series in range(ends.size):
        squares, above, below, rise, fall = 0.0, 0.0, 0.0, begin, begin
        for now in range(begin, ends[series]):
            known = min(now - begin, baseline)
            if known >= least and squares > 0.0:
                scaled = errors[now] / np.sqrt(squares / known)
                scaled = min(max(scaled, -LARGEST_ERROR), LARGEST_ERROR)
                rise, fall = now if above == 0.0 else rise, now if below == 0.0 else fall
                above, below = max(0.0, above + scaled - slack), max(0.0, below - scaled - slack)
                if max(above, below) > limit:
                    onset = rise if above > below else fall
                    places[count, 0], places[count, 1], places[count, 2] = begin, onset, now
                    statistics[count] = above if above > below else -below
                    count += 1
                    above = below = 0.0
            squares += errors[now] ** 2
            if now - begin >= baseline:
                squares = 0.0
                for i in range(now - baseline + 1, now + 1):
                    squares += errors[i] ** 2
        begin = ends[series]
    return count
