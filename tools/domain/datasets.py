"""One version of the buyer's data, as the tools read it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from tools.domain.arrays import BoolArray, DateArray, FloatArray
from tools.domain.catalogue import Item, Link, Offer, Site, Supplier
from tools.domain.orders import PurchaseOrder, Receipt


class Period(StrEnum):
    """The bucket of history and plan."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"

    @property
    def days(self) -> float:
        """Mean length in days."""
        return {"day": 1.0, "week": 7.0, "month": 365.25 / 12}[self.value]

    @property
    def per_year(self) -> float:
        """Periods in a year; also the season length of a yearly pattern."""
        return {"day": 365.25, "week": 365.25 / 7, "month": 12.0}[self.value]


@dataclass(frozen=True, slots=True)
class DemandHistory:
    """Recorded demand of one item and site: `dates` (n,) datetime64[D] ascending, `quantities` (n,) units."""

    item_id: str
    site_id: str
    dates: DateArray
    quantities: FloatArray


@dataclass(frozen=True, slots=True)
class CalendarDay:
    """A day on which an item (or, with no item, every item) is promoted or the site is closed."""

    day: date
    item_id: str | None
    promotion: bool
    closed: bool


@dataclass(frozen=True, slots=True)
class UserForecast:
    """The user's own forecast of one item: columns of equal length; quantile is nan for a mean."""

    item_id: str
    dates: DateArray
    quantities: FloatArray
    quantiles: FloatArray


@dataclass(frozen=True)
class Dataset:
    """An immutable dataset version. Mappings are keyed by id and iterate in id order."""

    version: str
    as_of: date
    currency: str
    items: Mapping[str, Item]
    suppliers: Mapping[str, Supplier]
    sites: Mapping[str, Site]
    offers: tuple[Offer, ...]
    on_hand: Mapping[tuple[str, str], float]
    """Units on hand by (item_id, site_id)."""
    stock_as_of: Mapping[tuple[str, str], date]
    demand: Mapping[tuple[str, str], DemandHistory]
    """History by (item_id, site_id)."""
    open_orders: tuple[PurchaseOrder, ...]
    receipts: tuple[Receipt, ...]
    links: tuple[Link, ...] = ()
    calendar: tuple[CalendarDay, ...] = ()
    user_forecasts: Mapping[str, UserForecast] = field(default_factory=dict[str, UserForecast])
    content_hash: str = ""


@dataclass(frozen=True, slots=True)
class PeriodSeries:
    """Demand of one item in equal buckets, oldest first: `starts` (n,), `quantities` (n,), `closed` (n,)."""

    item_id: str
    site_id: str
    period: Period
    starts: DateArray
    quantities: FloatArray
    closed: BoolArray
