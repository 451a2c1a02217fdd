"""One version of the buyer's data, as the tools read it."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from functools import cached_property
from typing import TypeVar

import numpy as np

from tools.domain.arrays import BoolArray, DateArray, FloatArray
from tools.domain.catalogue import Item, Link, Offer, PurchasingLimit, Site, Supplier
from tools.domain.orders import PurchaseOrder, Receipt

Row = TypeVar("Row")
Key = TypeVar("Key")


def grouped(rows: Iterable[Row], key: Callable[[Row], Key]) -> dict[Key, tuple[Row, ...]]:
    """Rows by key, each group in the given order."""
    found = defaultdict[Key, list[Row]](list)
    for row in rows:
        found[key(row)].append(row)
    return {name: tuple(group) for name, group in found.items()}


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
class StockHistory:
    """Counts of one item and site: `dates` (n,) datetime64[D] ascending, each once; `on_hand` (n,) units."""

    item_id: str
    site_id: str
    dates: DateArray
    on_hand: FloatArray

    def days_without(self, until: date) -> DateArray:
        """Days without stock up to `until`: from each count of nothing to the day before the next count."""
        ends = np.append(self.dates[1:], np.datetime64(until, "D") + 1)
        runs = [np.arange(self.dates[at], ends[at]) for at in np.flatnonzero(self.on_hand <= 0)]
        return np.concatenate(runs) if runs else np.empty(0, dtype="datetime64[D]")


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
class Catalogue:
    """Names and terms that orders are shown with: suppliers by id and offers by id, of a dataset version."""

    suppliers: Mapping[str, Supplier]
    offer_of: Mapping[str, Offer]


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
    """Units on hand by (item_id, site_id): the latest count up to the clock."""
    stock_as_of: Mapping[tuple[str, str], date]
    demand: Mapping[tuple[str, str], DemandHistory]
    """History by (item_id, site_id)."""
    open_orders: tuple[PurchaseOrder, ...]
    receipts: tuple[Receipt, ...]
    links: tuple[Link, ...] = ()
    limits: tuple[PurchasingLimit, ...] = ()
    calendar: tuple[CalendarDay, ...] = ()
    user_forecasts: Mapping[str, UserForecast] = field(default_factory=dict[str, UserForecast])
    content_hash: str = ""

    @property
    def families(self) -> dict[str, str]:
        """Item id to its family; items of a family that is measured in several units are kept apart by unit."""
        units: dict[str, set[str]] = {}
        for item in self.items.values():
            units.setdefault(item.family, set()).add(item.uom)
        return {
            item_id: item.family if len(units[item.family]) == 1 else f"{item.family} in {item.uom}"
            for item_id, item in self.items.items()
            if item.family
        }

    @cached_property
    def offers_by_item(self) -> Mapping[str, tuple[Offer, ...]]:
        """Offers of each item, in the order of `offers`."""
        return grouped(self.offers, lambda offer: offer.item_id)

    @cached_property
    def offer_of(self) -> Mapping[str, Offer]:
        """Offers by id."""
        return {offer.offer_id: offer for offer in self.offers}

    @cached_property
    def receipts_by_item(self) -> Mapping[str, tuple[Receipt, ...]]:
        """Receipts of each item."""
        return grouped(self.receipts, lambda receipt: receipt.item_id)

    @cached_property
    def open_orders_by_item(self) -> Mapping[str, tuple[PurchaseOrder, ...]]:
        """Open orders of each item."""
        return grouped(self.open_orders, lambda order: order.item_id)

    stock_history: Mapping[tuple[str, str], StockHistory] = field(default_factory=dict[tuple[str, str], StockHistory])
    """All counts up to the clock by (item_id, site_id), where there is more than one."""
    stockouts: Mapping[tuple[str, str], DateArray] = field(default_factory=dict[tuple[str, str], DateArray])
    """Days on which the item had no stock, where what was recorded then may be less than the demand."""


@dataclass(frozen=True, slots=True)
class PeriodSeries:
    """Demand of one item in equal buckets, oldest first: `starts` (n,), `quantities` (n,), `closed` (n,)."""

    item_id: str
    site_id: str
    period: Period
    starts: DateArray
    quantities: FloatArray
    closed: BoolArray
