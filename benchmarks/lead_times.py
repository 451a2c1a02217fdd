"""Lead times foretold at a past clock and scored on what came: real SCMS orders, and lanes with known laws.

Real: fitted on what was known at the end of 2012. Scored on the orders sent in the first half of 2013, nearly all of
which arrived before the record ends; and on all of 2013, of which 247 of 675 are open at its end and count through the
window in which they could be watched (scoring only those that arrived would favour the early ones). Settings were
chosen on clocks up to March 2012. SCMS states no quotes: the offers quote the median of their transport mode at the
clock. What open orders still take is foretold at two clocks of 2012.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from time import process_time

import numpy as np
from scipy.stats import lognorm

from benchmarks.cases.lead_time_cases import LAST_DAY, SCMS_SETTINGS, Clock, Shipment, at_clock, data_folder, shipments
from benchmarks.cases.lead_time_scores import cdf_table, empirical_table, interval_coverage, windowed_crps
from benchmarks.cases.simulated_lanes import TODAY, SimulatedLanes, simulate_lanes
from benchmarks.figures import Figure, quick_asked, report
from tools.domain.arrays import BoolArray, FloatArray
from tools.lead_times import LeadTimeDistribution, estimate_lead_times

FIT_TO = date(2012, 12, 31)
REMAINING_CLOCKS = (date(2012, 6, 30), date(2012, 12, 31))
HALF_YEAR = date(2013, 6, 30)
THIN = 20
LEVELS = np.array([0.1, 0.25, 0.5, 0.75, 0.9, 0.95])


@dataclass(frozen=True)
class Scored:
    """Scores (n,) of one set of orders, ours beside the vendor's plain empirical distribution."""

    ours: FloatArray
    empirical: FloatArray
    thin: BoolArray
    coverage_80: float

    def gain_percent(self, rows: BoolArray | None = None) -> float:
        """By how much our mean score is below the empirical one."""
        chosen = slice(None) if rows is None else rows
        return 100 * (1 - float(self.ours[chosen].mean() / self.empirical[chosen].mean()))


def estimated(clock: Clock, censoring: bool = True) -> Mapping[str, LeadTimeDistribution]:
    """What the product would say at the clock."""
    return estimate_lead_times(
        tuple(clock.offers.values()),
        clock.receipts,
        clock.open_orders if censoring else (),
        clock.as_of,
        SCMS_SETTINGS,
        families=clock.families,
        modes=clock.modes,
    )


def score_new_orders(rows: Sequence[Shipment], fit_to: date, until: date) -> Scored:
    """Orders sent after the clock, up to and including this day."""
    clock = at_clock(rows, fit_to)
    made = estimated(clock)
    sent = [s for s in rows if fit_to < s.sent <= until]
    window = np.array([s.seen_days for s in sent], dtype=np.float64)
    days = np.array([np.nan if s.days is None else s.days for s in sent])
    return _scored(clock, sent, [made[_offer_id(clock, s)] for s in sent], days, window, np.zeros(len(sent)))


def score_remaining(rows: Sequence[Shipment], as_of: date, censoring: bool = True) -> Scored:
    """Orders open at the clock: days still to wait, beside the vendor's longer lead times less the age."""
    clock = at_clock(rows, as_of)
    made = estimated(clock, censoring)
    waiting = [s for s in rows if s.sent < as_of and (s.days is None or s.sent + timedelta(days=s.days) > as_of)]
    age = np.array([(as_of - s.sent).days for s in waiting], dtype=np.float64)
    left = np.array([np.nan if s.days is None else s.days for s in waiting]) - age
    told = [made[_offer_id(clock, s)].remaining(int(a)) for s, a in zip(waiting, age, strict=True)]
    return _scored(clock, waiting, told, left, np.full(len(age), float((LAST_DAY - as_of).days)), age)


def _offer_id(clock: Clock, s: Shipment) -> str:
    return clock.offers[s.item_id, s.supplier_id, s.mode, s.site_id].offer_id


def _scored(
    clock: Clock,
    sent: Sequence[Shipment],
    made: Sequence[LeadTimeDistribution],
    days: FloatArray,
    window: FloatArray,
    age: FloatArray,
) -> Scored:
    every = np.array([r.lead_time_days for r in clock.receipts], dtype=np.float64)
    of_vendor = {
        v: np.array([r.lead_time_days for r in clock.receipts if r.supplier_id == v], dtype=np.float64)
        for v in {s.supplier_id for s in sent}
    }
    plain = [_longer(of_vendor[s.supplier_id], every, float(a)) for s, a in zip(sent, age, strict=True)]
    return Scored(
        windowed_crps(cdf_table(made), days, window),
        windowed_crps(empirical_table(plain), days, window),
        np.array([len(of_vendor[s.supplier_id]) < THIN for s in sent]),
        interval_coverage(made, days, window),
    )


def _longer(vendor: FloatArray, every: FloatArray, age: float) -> FloatArray:
    """The vendor's lead times over the age, less the age; else those of all vendors, else one day."""
    for days in (vendor, every):
        if (days > age).any():
            return days[days > age] - age
    return np.ones(1)


def real_figures(folder: Path) -> dict[str, Figure]:
    """Held-out scores of new orders and of open ones."""
    rows = shipments(folder)
    return new_order_figures(rows) | remaining_figures(rows)


def new_order_figures(rows: Sequence[Shipment]) -> dict[str, Figure]:
    """Orders sent in 2013 by what was known in 2012, and the same for the four years together."""
    half = score_new_orders(rows, FIT_TO, HALF_YEAR)
    year = score_new_orders(rows, FIT_TO, LAST_DAY)
    years = [score_new_orders(rows, date(y - 1, 12, 31), date(y, 12, 31)) for y in (2010, 2011, 2012, 2013)]
    thin = [np.concatenate([getattr(s, name)[s.thin] for s in years]) for name in ("ours", "empirical")]
    plain = f"plain empirical distribution of each vendor under {THIN} receipts"
    return {
        "coverage_80": Figure(100 * half.coverage_80, "%", "80 +- 4", f"{len(half.ours)} orders, first half of 2013"),
        "coverage_80_whole_year": Figure(
            100 * year.coverage_80, "%", "80 +- 4", f"{len(year.ours)} orders of 2013, 247 of them open: Kaplan-Meier"
        ),
        "crps_gain_percent": Figure(
            half.gain_percent(half.thin), "%", ">= 10", f"{plain}, {half.thin.sum()} orders, first half of 2013"
        ),
        "crps_gain_percent_whole_year": Figure(
            year.gain_percent(year.thin),
            "%",
            ">= 10",
            f"the same, {year.thin.sum()} orders of 2013, open ones windowed",
        ),
        "crps_gain_percent_four_years": Figure(
            100 * (1 - float(thin[0].mean() / thin[1].mean())),
            "%",
            ">= 10",
            f"the same, {len(thin[0])} orders of 2010 to 2013, each year by the one before",
        ),
        "crps_gain_percent_all_vendors": Figure(
            year.gain_percent(),
            "%",
            "> 0",
            f"each vendor's plain empirical distribution, {len(year.ours)} orders of 2013",
        ),
    }


def remaining_figures(rows: Sequence[Shipment]) -> dict[str, Figure]:
    """What open orders still take, beside the vendor's record and beside ours without censoring."""
    left = [score_remaining(rows, clock) for clock in REMAINING_CLOCKS]
    blind = [score_remaining(rows, clock, censoring=False) for clock in REMAINING_CLOCKS]
    ours, plain = (np.concatenate([getattr(s, name) for s in left]) for name in ("ours", "empirical"))
    uncensored = float(np.concatenate([s.ours for s in blind]).mean())
    covered = sum(s.coverage_80 * len(s.ours) for s in left) / len(ours)
    gain, over = 1 - float(ours.mean() / plain.mean()), 1 - float(ours.mean()) / uncensored
    return {
        "remaining_coverage_80": Figure(
            100 * covered, "%", "80 +- 4", f"{len(ours)} orders open at two clocks of 2012"
        ),
        "remaining_crps_gain_percent": Figure(100 * gain, "%", ">= 10", "vendor's plain lead times beyond the age"),
        "remaining_crps_gain_over_uncensored_percent": Figure(100 * over, "%", "> 0", "ours, open orders ignored"),
    }


def _pinball(quantiles: FloatArray, lanes: SimulatedLanes, levels: FloatArray) -> float:
    """Mean pinball loss as a share of the quoted days; `quantiles` (lanes, levels)."""
    quoted = np.array([offer.lead_time_days for offer in lanes.offers])
    miss = (lanes.truth[:, None, :] - quantiles[:, :, None]) / quoted[:, None, None]
    return float(np.maximum(levels[:, None] * miss, (levels[:, None] - 1) * miss).mean())


def _days_by_lane(lanes: SimulatedLanes) -> list[FloatArray]:
    seen: dict[str, list[int]] = {offer.item_id: [] for offer in lanes.offers}
    for receipt in lanes.receipts:
        seen[receipt.item_id].append(receipt.lead_time_days)
    return [np.array(days, dtype=np.float64) for days in seen.values()]


def _pooled_quantiles(lanes: SimulatedLanes, days: Sequence[FloatArray]) -> FloatArray:
    """Quantiles of all observed over quoted, times the lane's quote."""
    quoted = np.array([offer.lead_time_days for offer in lanes.offers])
    ratios = np.concatenate([d / q for d, q in zip(days, quoted, strict=True)])
    return quoted[:, None] * np.quantile(ratios, LEVELS)


def _lane_wise_quantiles(lanes: SimulatedLanes, days: Sequence[FloatArray]) -> FloatArray:
    """Of a lognormal fitted to each lane; lanes with fewer than three receipts take the pooled ones."""
    made = _pooled_quantiles(lanes, days)
    for row, own in enumerate(days):
        if len(own) >= 3 and own.std() > 0:
            made[row] = lognorm.ppf(LEVELS, *lognorm.fit(own, floc=0))
    return made


def _seconds(work: Callable[[], object]) -> float:
    """Processor time, which other work on the machine does not lengthen as it does the clock's."""
    started = process_time()
    work()
    return process_time() - started


def simulated_figures(lanes: int, seeds: Sequence[int]) -> dict[str, Figure]:
    """Accuracy on lanes with 1 to 20 orders, some still open."""
    losses, covered = list[tuple[float, ...]](), list[float]()
    for seed in seeds:
        world = simulate_lanes(lanes, seed)
        days = _days_by_lane(world)
        made = estimate_lead_times(world.offers, world.receipts, world.open_orders, TODAY)
        ours = np.array([[made[o.offer_id].quantile(q) for q in LEVELS] for o in world.offers], dtype=np.float64)
        losses.append(
            (
                _pinball(ours, world, LEVELS),
                _pinball(_pooled_quantiles(world, days), world, LEVELS),
                _pinball(_lane_wise_quantiles(world, days), world, LEVELS),
                _pinball(np.quantile(world.truth, LEVELS, axis=1).T, world, LEVELS),
            )
        )
        covered.append(float((world.truth <= ours[:, -1:]).mean()))
    mine, pooled, lane_wise, known = np.mean(losses, axis=0)
    told = f"{lanes} lanes, 1 to 20 orders, seeds {', '.join(map(str, seeds))}"
    return {
        "simulated_pinball": Figure(float(mine), "of quote", "least of three", told),
        "simulated_pinball_pooled": Figure(float(pooled), "of quote", "", "pooled empirical ratio to the quote"),
        "simulated_pinball_lane_wise": Figure(float(lane_wise), "of quote", "", "lognormal fitted lane by lane"),
        "simulated_pinball_known_law": Figure(float(known), "of quote", "", "the true quantiles: nobody can do better"),
        "simulated_excess_ratio": Figure(
            float((mine - known) / (lane_wise - known)), "x", "< 0.5", "loss above the known law, ours to lane by lane"
        ),
        "simulated_coverage_95": Figure(100 * float(np.mean(covered)), "%", "95 +- 2", "share below the 95 % quantile"),
    }


def speed_figures(lanes: int) -> dict[str, Figure]:
    """Processor time a lane in one batch, beside scipy's fit lane by lane in the same run."""
    world = simulate_lanes(lanes, 7)
    seconds = min(
        _seconds(lambda: estimate_lead_times(world.offers, world.receipts, world.open_orders, TODAY)) for _ in range(3)
    )
    sample, days = replace(world, offers=world.offers[:1000]), _days_by_lane(world)[:1000]
    fitted = min(_seconds(lambda: _lane_wise_quantiles(sample, days)) for _ in range(3)) / 1000
    fitted += min(_seconds(lambda: _days_by_lane(world)) for _ in range(3)) / lanes
    ours, theirs = 1e6 * seconds / lanes, 1e6 * fitted
    rows = f"{lanes:,} lanes, {len(world.receipts):,} receipts, {len(world.open_orders):,} open orders"
    return {
        "microseconds_per_lane": Figure(ours, "us", "tens", rows),
        "ratio_to_lane_wise_fit": Figure(
            theirs / ours, "x", "> 1", f"scipy lognormal by lane, from the same records: {theirs:.0f} us"
        ),
    }


def measure(quick: bool) -> dict[str, Figure]:
    """All figures; without the real data only the simulated ones."""
    folder = data_folder()
    if folder is None:
        print("The real SCMS orders (folder scms of JIT_SHARED_DATA) are not here: simulated lanes only.")
    real = real_figures(folder) if folder else {}
    return real | simulated_figures(600, range(1, 4 if quick else 11)) | speed_figures(10_000)


if __name__ == "__main__":
    print(report("lead_times", measure(quick_asked())))
