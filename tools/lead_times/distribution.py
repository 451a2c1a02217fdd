"""A lead time as a discrete distribution over whole days."""

from dataclasses import dataclass, replace

import numpy as np

from tools.domain.arrays import FloatArray, IntArray


@dataclass(frozen=True)
class LeadTimeDistribution:
    """P(lead time = days[i]) = probabilities[i]; days ascend and probabilities sum to 1."""

    days: IntArray
    probabilities: FloatArray
    source: str
    """Where it comes from, for people: offer, supplier, quoted."""
    observations: int
    fallback: str | None = None

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

    def sample(self, rng: np.random.Generator, size: int) -> IntArray:
        """Independent draws in days."""
        return rng.choice(self.days, size=size, p=self.probabilities)

    def remaining(self, age_days: int) -> "LeadTimeDistribution":
        """Days still to wait, given that nothing arrived up to and including this age.

        An order older than every lead time seen is due by the tail's own spread: half to one and a half times
        the distance between the median and the 90th percentile.
        """
        left = self.days > age_days
        if left.any():
            probabilities = self.probabilities[left]
            return replace(self, days=self.days[left] - age_days, probabilities=probabilities / probabilities.sum())
        tail = max(2, self.quantile(0.9) - self.quantile(0.5))
        days = np.arange(max(1, tail // 2), tail + tail // 2 + 1)
        uniform = np.full(len(days), 1.0 / len(days))
        return replace(self, days=days, probabilities=uniform, fallback="older than every lead time seen")
