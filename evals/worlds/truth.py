"""What is true of a generated world and hidden from every policy: demand processes, lead times, suppliers' floors."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import numpy as np

from tools.domain.arrays import FloatArray, IntArray

Z_LATE = 0.8169
"""Standard normal quantile of 1 - 0.207: promises are set so that 20.7 % of deliveries miss them."""
LONGEST_DAYS = 400


@dataclass(frozen=True, slots=True)
class LeadTimeLaw:
    """Lognormal lead time in whole days, cut to 1..400."""

    median_days: float
    cv: float

    @property
    def sigma(self) -> float:
        """Standard deviation of the logarithm."""
        return float(np.sqrt(np.log1p(self.cv**2)))

    @property
    def promised_days(self) -> int:
        """The promise a supplier makes: the quantile that as many deliveries miss as in the calibration."""
        return max(1, round(self.median_days * float(np.exp(Z_LATE * self.sigma))))

    def sample(self, rng: np.random.Generator, size: int) -> IntArray:
        """Independent draws in days."""
        return self.of_normal(rng.standard_normal(size))

    def of_normal(self, z: FloatArray) -> IntArray:
        """The lead times that standard normal draws stand for; two policies given the same draws meet the same luck."""
        days = np.round(self.median_days * np.exp(self.sigma * z))
        return np.clip(days, 1, LONGEST_DAYS).astype(np.int64)


@dataclass(frozen=True, slots=True)
class DemandLaw:
    """Weekly demand: occurrence times a gamma size about a mean with season and growth."""

    pattern: str
    weekly_mean: float
    """Mean units a week at the reference day, zero weeks included."""
    size_cv: float
    probability: float
    """Of demand in a week."""
    amplitude: float
    """Of the yearly season, as a share of the mean."""
    phase_weeks: float
    growth_per_year: float
    reference: date

    def mean(self, weeks: IntArray) -> FloatArray:
        """Expected units in each week; week 0 starts the day after the reference day."""
        years = weeks / 52.18
        season = 1 + self.amplitude * np.sin(2 * np.pi * (years - self.phase_weeks / 52.18))
        growth = np.maximum(0.05, 1 + self.growth_per_year * years)
        return self.weekly_mean * season * growth

    def draw(self, rng: np.random.Generator, weeks: IntArray) -> FloatArray:
        """Whole units demanded in each week."""
        shape = 1 / self.size_cv**2
        sizes = rng.gamma(shape, self.mean(weeks) / (shape * self.probability))
        occurs = rng.random(weeks.size) < self.probability
        return np.where(occurs, np.maximum(1.0, np.round(sizes)), 0.0)


@dataclass(frozen=True)
class DemoTruth:
    """Everything hidden in a world of this seed."""

    seed: int
    as_of: date
    demand: Mapping[str, DemandLaw]
    """By item id."""
    lead_times: Mapping[str, LeadTimeLaw]
    """By offer id."""
    floor_fractions: Mapping[str, float]
    """By supplier id: least price over list price that the supplier takes."""

    def future_demand(self, weeks: int, seed: int | None = None) -> dict[str, FloatArray]:
        """Units that customers will ask for in each coming week, by item id; the same for the same seed."""
        span = np.arange(weeks)
        rng = np.random.default_rng([self.seed, 1 if seed is None else 2 + seed])
        return {item_id: law.draw(rng, span) for item_id, law in self.demand.items()}
