"""What a forecast depends on beside its data."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ForecastSettings:
    """Paths, seed, and how much history the models need."""

    paths: int = 256
    seed: int = 7
    min_observations: int = 8
    """Known periods below which a forecast says that it rests on few."""
    recent_periods: int | None = None
    """At most this much history is used; none for two years of days, four of weeks, ten of months."""
    reconcile: bool = True
    """Whether items and their families are brought to add up."""
