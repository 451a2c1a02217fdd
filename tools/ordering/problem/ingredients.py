"""What a planning snapshot is made from, as far as planning looks at it."""

from collections.abc import Mapping
from typing import Protocol, Self

from tools.domain.arrays import FloatArray, IntArray
from tools.domain.datasets import Period


class ForecastPaths(Protocol):
    """What planning needs of a demand forecast."""

    @property
    def item_id(self) -> str:
        """The item."""
        ...

    @property
    def site_id(self) -> str:
        """Where it is asked for."""
        ...

    @property
    def period(self) -> Period:
        """Week or month."""
        ...

    @property
    def paths(self) -> FloatArray:
        """(S, T) non-negative units."""
        ...

    @property
    def fallback(self) -> str | None:
        """What was used where data was too thin."""
        ...


class LeadTime(Protocol):
    """What planning needs of a lead-time distribution."""

    @property
    def days(self) -> IntArray:
        """Whole days, ascending."""
        ...

    @property
    def probabilities(self) -> FloatArray:
        """Of each of the days."""
        ...

    @property
    def fallback(self) -> str | None:
        """What was used where data was too thin."""
        ...

    def remaining(self, age_days: int) -> Self:
        """Days still to wait for an order of this age."""
        ...


class Yield(Protocol):
    """What planning needs of a yield distribution."""

    @property
    def mean(self) -> float:
        """Expected share of an order that arrives usable."""
        ...

    @property
    def fallback(self) -> str | None:
        """What was used where data was too thin."""
        ...


class DisruptionEffects(Protocol):
    """What planning needs of a disruption; what hits an offer comes before what hits its supplier as a whole."""

    @property
    def delay_days_by_supplier(self) -> Mapping[str, int]:
        """Days added to every new order."""
        ...

    @property
    def delay_days_by_offer(self) -> Mapping[str, int]:
        """Days added to new orders of one offer."""
        ...

    @property
    def delay_days_by_order(self) -> Mapping[str, int]:
        """Days added to what is still to arrive on an open order."""
        ...

    @property
    def capacity_fraction_by_supplier(self) -> Mapping[str, float]:
        """Share of capacity that remains; 0 means no new order."""
        ...

    @property
    def capacity_fraction_by_offer(self) -> Mapping[str, float]:
        """Share of capacity that remains for one offer; 0 means no new order of it."""
        ...
