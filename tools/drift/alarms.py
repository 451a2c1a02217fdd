"""Drift of demand, lead times and forecasts: alarms with their onset and the observations that it took to find them.

Level, lead time and error size are watched by a change-point test on joint ranks, which needs no known baseline and
no known distribution; bias, whose target is known to be zero, by a tabular CUSUM. Nothing looks ahead: an alarm at
an observation rests on that and earlier ones only.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from statistics import fmean, median

import numpy as np

from tools.domain.arrays import FloatArray, IntArray
from tools.drift.change_points import normal_scores, scan_biases, scan_changes
from tools.drift.observed import DriftKind, ObservedSeries

LARGEST_SIZE = 100.0
"""A change is stated as at most this share of the former level."""


@dataclass(frozen=True, slots=True)
class DriftSettings:
    """How much evidence an alarm takes. The defaults give about 8 false alarms in 1,000 calm observations."""

    limit: float = 2.8
    """Standard errors between the newest observations and those before them."""
    bias_limit: float = 5.0
    """Standard deviations that the CUSUM of errors may add up to."""
    bias_slack: float = 0.5
    """Standard deviations of an error that add nothing."""
    least_baseline: int = 8
    """Observations before the first that can give an alarm, also after one."""
    baseline: int = 60
    """Newest observations that the baseline is taken from."""
    onsets: int = 16
    """How many observations back a change may have begun."""
    allowance: float = 0.5
    """Standard errors of the autocorrelation that are put down to chance."""

    @classmethod
    def of_limits(cls, limits: Mapping[str, int]) -> "DriftSettings":
        """From the limits of a policy file, which are whole numbers; a limit that it lacks has its default."""
        known = cls()
        return cls(
            limit=limits.get("drift_limit_hundredths", round(100 * known.limit)) / 100,
            bias_limit=limits.get("drift_bias_limit_hundredths", round(100 * known.bias_limit)) / 100,
            bias_slack=limits.get("drift_bias_slack_hundredths", round(100 * known.bias_slack)) / 100,
            least_baseline=max(2, limits.get("drift_least_baseline", known.least_baseline)),
            baseline=max(2, limits.get("drift_baseline", known.baseline)),
            onsets=max(1, limits.get("drift_onsets", known.onsets)),
        )


@dataclass(frozen=True, slots=True)
class DriftAlarm:
    """One change, found at one observation."""

    subject: str
    kind: DriftKind
    at: int
    """Place of the observation that gave the alarm, among the known ones."""
    at_date: date
    since: int
    """Place of the first observation of the new regime, as estimated."""
    since_date: date
    observations_to_detect: int
    """From the onset to the alarm, both counted."""
    age: int
    """Observations since the alarm."""
    statistic: float
    threshold: float
    direction: str
    """above or below: where the new regime lies."""
    size: float
    """Change of the median since the onset over the former level; of a bias, the mean error over mean demand."""
    reason: str
    """In a sentence for people."""


@dataclass(frozen=True, slots=True)
class DriftReport:
    """All alarms, oldest first within a series, and how much was looked at."""

    alarms: tuple[DriftAlarm, ...]
    watched: Mapping[str, int]
    """Series long enough to give an alarm, by kind."""
    too_short: tuple[str, ...]
    """In words, for each series that is not."""

    def latest(self) -> tuple[DriftAlarm, ...]:
        """The newest alarm of each subject and kind."""
        return tuple({(alarm.subject, alarm.kind): alarm for alarm in self.alarms}.values())


def watch(series: Iterable[ObservedSeries], settings: DriftSettings | None = None) -> DriftReport:
    """Alarms of many series, in their order. A short, constant or unknown series gives none, never an error."""
    chosen = settings or DriftSettings()
    known = [one.known() for one in series]
    enough = [one for one in known if one.values.size > chosen.least_baseline]
    short = tuple(_too_short(one, chosen) for one in known if one.values.size <= chosen.least_baseline)
    found: dict[int, list[DriftAlarm]] = {}
    for biased in (False, True):
        places = [place for place, one in enumerate(enough) if (one.kind is DriftKind.FORECAST_BIAS) is biased]
        for place, alarm in _alarms([enough[place] for place in places], chosen, biased=biased):
            found.setdefault(places[place], []).append(alarm)
    alarms = tuple(alarm for place in sorted(found) for alarm in found[place])
    return DriftReport(alarms, dict(Counter(one.kind.value for one in enough)), short)


def _too_short(series: ObservedSeries, settings: DriftSettings) -> str:
    seen, least = series.values.size, settings.least_baseline + 1
    named = series.kind.value.replace("_", " ")
    return f"{named} of {series.subject}: too short, {seen} observations where {least} are needed"


def _alarms(
    series: Sequence[ObservedSeries], settings: DriftSettings, *, biased: bool
) -> Iterable[tuple[int, DriftAlarm]]:
    """Place of the series and alarm, by series and then by time."""
    if not series:
        return
    values = np.concatenate([one.values for one in series])
    ends = np.cumsum([one.values.size for one in series]).astype(np.int64)
    places, statistics = find_biases(values, ends, settings) if biased else find_changes(values, ends, settings)
    limit = settings.bias_limit if biased else settings.limit
    owners = np.searchsorted(ends, places[:, 2], side="right")
    for owner, (former, since, at), statistic in zip(
        owners.tolist(), places.tolist(), statistics.tolist(), strict=True
    ):
        begin = int(ends[owner]) - series[owner].values.size
        yield owner, _alarm(series[owner], (former - begin, since - begin, at - begin), statistic, limit)


def find_changes(values: FloatArray, ends: IntArray, settings: DriftSettings) -> tuple[IntArray, FloatArray]:
    """Former regime, onset and alarm (k, 3), and signed statistic (k,), of series behind each other in `values`."""
    places, statistics = np.empty((values.size, 3), dtype=np.int64), np.empty(values.size)
    scores = normal_scores(settings.baseline + settings.onsets)
    shape = (settings.least_baseline, settings.baseline, settings.onsets)
    count = scan_changes(values, ends, scores, *shape, settings.limit, settings.allowance, places, statistics)
    return places[:count], statistics[:count]


def find_biases(errors: FloatArray, ends: IntArray, settings: DriftSettings) -> tuple[IntArray, FloatArray]:
    """The same for errors that should be zero in the mean."""
    places, statistics = np.empty((errors.size, 3), dtype=np.int64), np.empty(errors.size)
    shape = (settings.least_baseline, settings.baseline)
    count = scan_biases(errors, ends, *shape, settings.bias_slack, settings.bias_limit, places, statistics)
    return places[:count], statistics[:count]


def _alarm(series: ObservedSeries, places: tuple[int, int, int], statistic: float, limit: float) -> DriftAlarm:
    """An alarm from where its former regime began, its own onset, and the observation that gave it."""
    former, since, at = places
    took, size = at - since + 1, _size(series, former, since, at)
    since_date, at_date = (series.dates[place].astype("datetime64[D]").item() for place in (since, at))
    direction = "above" if statistic > 0 else "below"
    return DriftAlarm(
        subject=series.subject,
        kind=series.kind,
        at=at,
        at_date=at_date,
        since=since,
        since_date=since_date,
        observations_to_detect=took,
        age=series.values.size - 1 - at,
        statistic=abs(statistic),
        threshold=limit,
        direction=direction,
        size=size,
        reason=f"{_sentence(series, size, direction)} since {since_date}; found on {at_date} after {took} "
        f"observations ({abs(statistic):.1f}, limit {limit:g}).",
    )


def _size(series: ObservedSeries, former: int, since: int, at: int) -> float:
    now: list[float] = series.values[since : at + 1].tolist()
    before: list[float] = series.values[former:since].tolist()
    if series.kind is DriftKind.FORECAST_BIAS:
        change, base = abs(fmean(now)), abs(series.usual)
    else:
        base = abs(median(before) or fmean(before))
        change = abs(median(now) - median(before))
    return min(change / base, LARGEST_SIZE) if base > 0 else LARGEST_SIZE


def _sentence(series: ObservedSeries, size: float, direction: str) -> str:
    share = f"{size:.0%} {direction}"
    return {
        DriftKind.DEMAND_LEVEL: f"Demand of {series.subject} is {share} its former level",
        DriftKind.LEAD_TIME: f"Lead times of {series.subject} are {share} their former level",
        DriftKind.FORECAST_ERROR: f"Forecast errors of {series.subject} are {share} their former size",
        DriftKind.FORECAST_BIAS: f"Demand of {series.subject} is {share} its forecast on average",
    }[series.kind]
