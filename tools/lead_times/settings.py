"""How much receipts, quotes and time weigh in a lead-time estimate."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from tools.domain.arrays import FloatArray

PRIOR_SPREADS: Mapping[str, float] = {
    "mode": 0.3,
    "family": 0.2,
    "period": 0.35,
    "supplier": 0.3,
    "supplier and mode": 0.15,
    "supplier and period": 0.4,
    "supplier and item": 0.2,
    "supplier and site": 0.2,
}
"""What is expected, before any receipt, of the spread of each level's effects on the log lead time. Those of mode,
family and supplier are in log units; the others are multiples of the supplier's own spread from order to order."""


@dataclass(frozen=True, slots=True)
class LeadTimeSettings:
    """Bounds, priors and the ageing of evidence."""

    min_days: int = 0
    max_days: int = 730
    quoted_cv: float = 0.35
    """Spread of a lead time known only from a quote: median of real lanes with a dozen receipts or more."""
    half_life_days: float = 1500.0
    """An order of this age weighs half of today's. Arrived and open orders count alike: else censoring would bias."""
    period_days: int = 365
    """Lead times drift from one of these periods to the next."""
    carried_over: float = 0.4
    """Share of the newest period's drift that is expected to last."""
    spread_weight: float = 20.0
    """Orders' worth of the common spread in each supplier's own."""
    level_weight: float = 10.0
    """Groups' worth of the prior spread in the estimated spread of each level."""
    shape_weight: float = 20.0
    """Receipts' worth of the normal shape in the pooled shape of log residuals."""
    old_regime_weight: float = 0.5
    """What is left of the weight of orders before a change of regime that is only just certain; less, the clearer."""
    prior_spreads: Mapping[str, float] = field(default_factory=lambda: PRIOR_SPREADS)

    @property
    def quoted_log_sd(self) -> float:
        """Standard deviation of the log lead time of a lognormal with the quote's coefficient of variation."""
        return float(np.sqrt(np.log1p(self.quoted_cv**2)))

    def recency(self, age_days: FloatArray) -> FloatArray:
        """Weight of orders of this age."""
        return 0.5 ** (np.maximum(age_days, 0.0) / self.half_life_days)
