"""What is known of demand beside its records: calendar, families, days without stock, the user's own forecasts."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from tools.domain.arrays import DateArray
from tools.domain.datasets import CalendarDay, UserForecast

Key = tuple[str, str]
"""(item_id, site_id)."""


@dataclass(frozen=True, slots=True)
class DemandContext:
    """Empty where nothing was given: then history speaks alone."""

    calendar: tuple[CalendarDay, ...] = ()
    """Closed and promoted days, past and future."""
    families: Mapping[str, str] = field(default_factory=dict[str, str])
    """Item id to its family; items without one stand alone."""
    stockouts: Mapping[Key, DateArray] = field(default_factory=dict[Key, DateArray])
    """Days on which the item had no stock: what was recorded then is at most the demand."""
    user_forecasts: Mapping[str, UserForecast] = field(default_factory=dict[str, UserForecast])
    """The user's own forecast by item id."""
