"""A lead time as a discrete distribution over whole days."""

from dataclasses import dataclass, replace

import numpy as np
from scipy.special import log_ndtr, ndtri_exp

from tools.domain.arrays import FloatArray, IntArray

THIN_TAIL = 0.01
"""With less probability than this beyond an order's age, a smooth tail takes the place of the few days left."""
UPPER_QUARTER_TENTH = 1.2815515655446004
"""Standard normal 90 % quantile."""


@dataclass(frozen=True)
class LeadTimeDistribution:
    """P(lead time = days[i]) = probabilities[i]; days ascend and probabilities sum to 1."""

    days: IntArray
    probabilities: FloatArray
    source: str
    """Where it comes from, for people: offer, supplier, quoted."""
    observations: int
    fallback: str | None = None
    supplier_observations: int = 0
    """Receipts of the supplier, all items together, that the estimate rests on."""
    open_orders: int = 0
    """Open orders of the item and supplier that weighed in as right-censored."""

    @property
    def mean(self) -> float:
        """Expected lead time in days."""
        return float(self.days @ self.probabilities)

    @property
    def sd(self) -> float:
        """Standard deviation in days."""
        return float(np.sqrt(max(0.0, (self.days.astype(float) ** 2) @ self.probabilities - self.mean**2)))

    def quantile(self, q: float) -> int:
        """The least day by which the order has arrived with probability at least q."""
        place = int(np.searchsorted(np.cumsum(self.probabilities), q - 1e-12))
        return int(self.days[min(place, len(self.days) - 1)])

    def cdf(self, days: FloatArray | IntArray) -> FloatArray:
        """P(lead time <= day) for each of the days, of any shape."""
        steps = np.concatenate([[0.0], np.minimum(np.cumsum(self.probabilities), 1.0)])
        return steps[np.searchsorted(self.days, days, side="right")]

    def arrival_probability(self, day: float) -> float:
        """P(the order has arrived by the end of this day after it was sent)."""
        return float(self.cdf(np.array([day]))[0])

    def sample(self, rng: np.random.Generator, size: int) -> IntArray:
        """Independent draws in days."""
        return rng.choice(self.days, size=size, p=self.probabilities)

    def remaining(self, age_days: int) -> "LeadTimeDistribution":
        """Days still to wait, given that nothing arrived up to and including this age: P(T = a + r | T > a).

        Where under 1 % of the lead times are longer than the age, the tail of a lognormal with the same median and
        90 % quantile stands in, conditional on the age, and `fallback` says so.
        """
        left = self.days > age_days
        mass = float(self.probabilities[left].sum())
        if mass >= THIN_TAIL:
            return replace(self, days=self.days[left] - age_days, probabilities=self.probabilities[left] / mass)
        days, probabilities = self._smooth_tail(age_days)
        return replace(self, days=days, probabilities=probabilities, fallback="older than nearly every lead time seen")

    def _smooth_tail(self, age_days: int) -> tuple[IntArray, FloatArray]:
        """Quantiles of (T - age | T > age) for lognormal T, from the survival function in logs for accuracy."""
        median = max(self.quantile(0.5), 1)
        sigma = max(float(np.log(max(self.quantile(0.9), median) / median)) / UPPER_QUARTER_TENTH, 0.1)
        age = max(age_days, 1)
        beyond = log_ndtr(-np.log(age / median) / sigma)
        levels = (np.arange(40) + 0.5) / 40
        waits = median * np.exp(-sigma * ndtri_exp(beyond + np.log1p(-levels))) - age
        days, counts = np.unique(np.maximum(np.ceil(waits), 1).astype(np.int64), return_counts=True)
        return days, counts / counts.sum()
