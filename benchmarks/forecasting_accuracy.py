"""How good the demand forecasts are, beside statsforecast's models on the same series from the same origins.

`python -m benchmarks.forecasting_accuracy [--quick] [--development] [--series N] [--peers FOLDER]`

The figures are of the held-out origins; `--development` scores the earlier ones that settings may be tuned on.
Our forecasts see the whole catalogue; the slow peers a fixed sample of it, and ratios are over that sample.
`--peers` keeps what the peers gave in a folder, so that a second run takes seconds.
"""

import argparse
import time
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np

from benchmarks.cases.demand_records import ORIGINS, DemandRecords, all_records
from benchmarks.cases.forecasting_peers import ENSEMBLE, NAIVE, TOTALS, PeerTask, peer_quantiles, process_pool
from benchmarks.figures import Figure, report
from tools.domain.arrays import FloatArray
from tools.domain.datasets import DemandHistory, Period
from tools.forecasting import forecast_catalogue
from tools.forecasting.accuracy import quantile_losses
from tools.forecasting.backtest import (
    AccuracyRow,
    BacktestReport,
    Forecast,
    Forecaster,
    Origin,
    SpanRow,
    backtest_catalogue,
    demand_from,
    summarised,
    until,
)
from tools.forecasting.history import bucket_all, future_starts
from tools.forecasting.patterns import DemandPattern

QUICK_SERIES, ALL_SERIES = 40, 500
"""Items of a catalogue that the peers forecast."""
SAMPLE_SEED = 11
LEAST_FORECASTS = 100
"""Forecasts of a demand class below which its coverage says nothing: three points are within chance."""

HEADLINES = {
    "wql_ratio_to_best": 0.0,
    "wql_ratio_to_ensemble": 0.0,
    "wql_ratio_to_naive": 0.0,
    "lead_time_wql_ratio_to_autoets": 0.0,
    "bias": 0.0,
    "coverage_80": 0.80,
    "coverage_95": 0.95,
    "lead_time_coverage_80": 0.80,
    "lead_time_coverage_95": 0.95,
}
"""What each headline figure would be at best; it shows the one that is farthest from it."""

Losses = Mapping[tuple[str, str, date], float]
"""Quantile loss in units by item, site and origin."""


@dataclass(frozen=True, slots=True)
class PeerSpan:
    """Total demand of one item over one span, as a peer saw it."""

    loss_units: float
    inside_80: bool
    inside_95: bool


@dataclass(frozen=True)
class Scores:
    """Ours on all items of some records, the peers on a sample of them."""

    records: DemandRecords
    ours: BacktestReport
    peers: Mapping[str, Losses]
    peer_spans: Mapping[tuple[str, str, date, int], PeerSpan]
    seconds: float
    """Of our forecasts, scoring included."""

    def rows(self, pattern: DemandPattern | None = None) -> list[AccuracyRow]:
        """Our rows on the sample, of one demand class or all."""
        sample = self.peers[NAIVE]
        return [
            row
            for row in self.ours.rows
            if (row.item_id, row.site_id, row.origin) in sample
            and row.scale_units > 0
            and (pattern is None or row.pattern is pattern)
        ]

    def spans(self) -> list[tuple[SpanRow, PeerSpan]]:
        """Our totals on the sample beside the peer's."""
        return [
            (row, self.peer_spans[row.item_id, row.site_id, row.origin, row.periods])
            for row in self.ours.spans
            if (row.item_id, row.site_id, row.origin, row.periods) in self.peer_spans and row.scale_units > 0
        ]


def ours(histories: Sequence[DemandHistory], origin: Origin) -> Iterable[Forecast]:
    """The product's forecast with its default settings."""
    return forecast_catalogue(histories, as_of=origin.as_of, period=origin.period, horizon=origin.horizon)


def score(
    records: DemandRecords,
    make: Forecaster,
    *,
    development: bool,
    series: int,
    store: Path | None = None,
    pool: Executor | None = None,
) -> Scores:
    """Our backtest of all active items, and the peers' losses on a sample of at most `series` of them."""
    clock, active = records.clock(development), records.active(development)
    started = time.perf_counter()
    made = backtest_catalogue(
        active,
        as_of=clock,
        period=records.period,
        horizon=records.horizon,
        origins=ORIGINS,
        step=records.step,
        make=make,
        spans=records.spans,
        dataset_version=records.name,
    )
    seconds = time.perf_counter() - started
    order = np.random.default_rng(SAMPLE_SEED).permutation(len(active))
    sample = [active[place] for place in sorted(order[:series])]
    peers: dict[str, dict[tuple[str, str, date], float]] = {}
    spans: dict[tuple[str, str, date, int], PeerSpan] = {}
    for origin in made.lineage.origins:
        keys, came, task = _task(sample, records, clock, origin)
        for name, quantiles in peer_quantiles(task, store, pool).items():
            for key, actual, of_item in zip(keys, came, quantiles, strict=True):
                if name == TOTALS:
                    spans |= {(*key, periods): _span(actual, of_item, periods) for periods in records.spans}
                else:
                    peers.setdefault(name, {})[key] = float(quantile_losses(actual, of_item).sum())
    return Scores(records, made, peers, spans, seconds)


def _task(
    sample: Sequence[DemandHistory], records: DemandRecords, clock: date, origin: date
) -> tuple[list[tuple[str, str, date]], list[FloatArray], PeerTask]:
    """Keys of the forecasts, what came (T,), and what the peers see."""
    known = bucket_all([until(history, origin) for history in sample], origin, records.period)
    season = 12 if records.period is Period.MONTH else 1
    recorded = bucket_all(sample, clock, records.period)
    came = [
        demand_from(whole, future_starts(series, origin, records.horizon))
        for whole, series in zip(recorded, known, strict=True)
    ]
    keys = [(history.item_id, history.site_id, origin) for history in sample]
    return keys, came, PeerTask(tuple(series.quantities for series in known), season, records.horizon)


def _span(came: FloatArray, quantiles: FloatArray, periods: int) -> PeerSpan:
    total, of_total = came[:periods].sum(keepdims=True), quantiles[:, [periods - 1]]
    low_95, low_80, _, _, _, high_80, high_95 = of_total[:, 0]
    loss = float(quantile_losses(total, of_total)[0])
    return PeerSpan(loss, bool(low_80 <= total[0] <= high_80), bool(low_95 <= total[0] <= high_95))


def losses_by_name(scores: Sequence[Scores], pattern: DemandPattern | None = None) -> dict[str, float]:
    """Weighted quantile loss over the sample, each item in units of its mean demand, of us and of every peer."""
    made: dict[str, float] = {}
    rows = [(one, row) for one in scores for row in one.rows(pattern)]
    demand = sum(row.actual_units / row.scale_units for _, row in rows)
    if demand == 0:
        return {}
    made["ours"] = sum(row.loss_units / row.scale_units for _, row in rows) / demand
    for name in scores[0].peers:
        losses = (one.peers[name][row.item_id, row.site_id, row.origin] / row.scale_units for one, row in rows)
        made[name] = sum(losses) / demand
    return made


def table(scores: Sequence[Scores]) -> str:
    """Losses by demand class of us and every peer, and the coverage of lead-time demand."""
    lines: list[str] = []
    for one in scores:
        title = f"{one.records.name}: {one.ours.overall.items} items, {len(one.rows())} forecasts beside the peers"
        lines += [title, f"  our time {one.seconds:.1f} s; weighted quantile loss:"]
        columns = {"all": losses_by_name([one])}
        columns |= {pattern.value: losses_by_name([one], pattern) for pattern in DemandPattern}
        columns = {name: found for name, found in columns.items() if found}
        lines.append("  " + " " * 40 + "".join(f"{name:>13}" for name in columns))
        for name in columns["all"]:
            lines.append(f"  {name:40}" + "".join(f"{found[name]:13.4f}" for found in columns.values()))
        lines.append("  coverage 50/80/95 of ours by period, then of total demand over each span, all items:")
        for summary in (one.ours.overall, *one.ours.by_pattern):
            lines.append(
                f"    {summary.group:14}{summary.forecasts:6}   "
                f"{summary.coverage_50:.3f} {summary.coverage_80:.3f} {summary.coverage_95:.3f}   "
                f"WQL {summary.wql:.4f} (naive {summary.wql_naive:.4f}, in units {summary.wql_units:.4f})   "
                f"MASE {summary.mase:.3f}  RMSSE {summary.rmsse:.3f}  bias {summary.bias:+.3f}"
            )
        for span in one.ours.by_span:
            lines.append(
                f"    {span.group:14}{span.forecasts:6}   "
                f"{span.coverage_50:.3f} {span.coverage_80:.3f} {span.coverage_95:.3f}   WQL {span.wql:.4f}   "
                f"over {span.periods} periods"
            )
    return "\n".join(lines)


def figures_of(scores: Sequence[Scores]) -> dict[str, Figure]:
    """Ratios and coverage for the weekly and the monthly records, and the worse of the two as the headline."""
    made: dict[str, Figure] = {}
    for period in sorted({one.records.period for one in scores}):
        made |= _of_period([one for one in scores if one.records.period is period], period.value)
    worst: dict[str, Figure] = {}
    for key, aim in HEADLINES.items():
        found = [figure for name, figure in made.items() if name.startswith(f"{key}_of_")]
        if found:
            worst[key] = max(found, key=lambda figure: abs(figure.value - aim))
    return worst | made


def _of_period(scores: Sequence[Scores], name: str) -> dict[str, Figure]:
    losses = losses_by_name(scores)
    single = {peer: loss for peer, loss in losses.items() if peer not in ("ours", ENSEMBLE)}
    best = min(single, key=lambda peer: single[peer])
    made = {
        f"wql_ratio_to_best_of_{name}": Figure(losses["ours"] / single[best], "ratio", "<= 1.00", best),
        f"wql_ratio_to_ensemble_of_{name}": Figure(losses["ours"] / losses[ENSEMBLE], "ratio", "<= 1.02", ENSEMBLE),
    }
    smooth = losses_by_name(scores, DemandPattern.SMOOTH)
    if sum(len(one.rows(DemandPattern.SMOOTH)) for one in scores) >= LEAST_FORECASTS // 4:
        ratio = smooth["ours"] / smooth[NAIVE]
        made[f"wql_ratio_to_naive_of_{name}"] = Figure(ratio, "ratio", "<= 0.75", f"{NAIVE}, smooth items")
    beside = [pair for one in scores for pair in one.spans()]
    loss = sum(row.loss_units / row.scale_units for row, _ in beside)
    of_peer = sum(peer.loss_units / row.scale_units for row, peer in beside)
    made[f"lead_time_wql_ratio_to_autoets_of_{name}"] = Figure(loss / of_peer, "ratio", "<= 1.00", TOTALS)
    rows = [row for one in scores for row in one.ours.rows]
    made[f"bias_of_{name}"] = Figure(summarised("all", rows).bias, "share", "0", "of demand, means of the paths")
    spans = [row for one in scores for row in one.ours.spans]
    for level, goal in ((80, "0.77 to 0.83"), (95, "0.92 to 0.98")):
        value = float(np.mean([getattr(row, f"coverage_{level}") for row in rows]))
        made[f"coverage_{level}_of_{name}"] = Figure(value, "share", goal, f"{level} % of periods")
        for pattern in DemandPattern:
            found = [getattr(row, f"coverage_{level}") for row in spans if row.pattern is pattern]
            if len(found) >= LEAST_FORECASTS:
                key = f"lead_time_coverage_{level}_of_{name}_{pattern.value}"
                peer = [getattr(p, f"inside_{level}") for row, p in beside if row.pattern is pattern]
                beaten = f"{level} % of {len(found)} totals; {TOTALS} {np.mean(peer):.3f} of {len(peer)}"
                made[key] = Figure(float(np.mean(found)), "share", goal, beaten)
    return made


def main(arguments: Sequence[str] | None = None) -> str:
    """The benchmark's whole output."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a small sample for the peers")
    parser.add_argument("--development", action="store_true", help="the earlier origins, for tuning")
    parser.add_argument("--series", type=int, default=None, help="items of a catalogue that the peers forecast")
    parser.add_argument("--peers", type=Path, default=None, help="folder that keeps what the peers gave")
    asked = parser.parse_args(arguments)
    series = asked.series or (QUICK_SERIES if asked.quick else ALL_SERIES)
    with process_pool() as pool:
        scores = [
            score(records, ours, development=asked.development, series=series, store=asked.peers, pool=pool)
            for records in all_records()
        ]
    return table(scores) + "\n" + report("forecasting_accuracy", figures_of(scores))


if __name__ == "__main__":
    print(main())
