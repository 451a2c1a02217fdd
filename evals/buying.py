"""What a buyer may see and ask for in the closed loop, how long the loop plays, and what is recorded of it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Protocol

import numpy as np

from tools.domain.arrays import FloatArray
from tools.domain.datasets import Dataset, DemandHistory
from tools.domain.orders import PurchaseOrder, Receipt

DAYS = 7


@dataclass(frozen=True, slots=True)
class OrderRequest:
    """What a buyer wants ordered, and how long deciding takes before the order leaves."""

    offer_id: str
    quantity: float
    release_days: float = 0.0


@dataclass(frozen=True)
class View:
    """What a buyer may see at the close of a day. Arrays are (N,) in the order of `item_keys`."""

    dataset: Dataset
    """The data as first imported."""
    today: date
    day: int
    """Days since the loop began."""
    item_keys: tuple[tuple[str, str], ...]
    net_stock: FloatArray
    """On hand less backorders."""
    position: FloatArray
    """Net stock and everything on order."""
    open_orders: tuple[PurchaseOrder, ...]
    receipts: Sequence[Receipt]
    weekly_demand: FloatArray
    """(N, weeks) of whole weeks since the loop began."""

    def current(self) -> Dataset:
        """The dataset as an import of today would give it."""
        return replace(
            self.dataset,
            version=f"{self.dataset.version}+{self.day}",
            as_of=self.today,
            on_hand={key: float(units) for key, units in zip(self.item_keys, self.net_stock, strict=True)},
            stock_as_of=dict.fromkeys(self.item_keys, self.today),
            demand={key: self._history(row, key) for row, key in enumerate(self.item_keys)},
            open_orders=self.open_orders,
            receipts=(*self.dataset.receipts, *self.receipts),
        )

    def _history(self, row: int, key: tuple[str, str]) -> DemandHistory:
        known = self.dataset.demand[key]
        weeks = np.arange(self.weekly_demand.shape[1]) * DAYS
        starts = np.datetime64(self.dataset.as_of) + 1 + weeks
        return DemandHistory(
            known.item_id,
            known.site_id,
            np.concatenate([known.dates, starts]),
            np.concatenate([known.quantities, self.weekly_demand[row]]),
        )


class Buyer(Protocol):
    """A purchasing policy in the loop."""

    name: str

    def reorder_points(self) -> FloatArray:
        """(N,) position at or below which the buyer sees a need; nan where it has none."""
        ...

    def review(self, view: View) -> Sequence[OrderRequest]:
        """What to order at the close of this day; most days of a weekly buyer return nothing."""
        ...


@dataclass(frozen=True, slots=True)
class LoopSettings:
    """How long to play, and what happens to demand that finds no stock."""

    weeks: int = 52
    """Weeks that count."""
    warm_up_weeks: int = 0
    """Weeks played before those that count, so that the stock and orders the world began with are used up."""
    lost_sales: bool = False


@dataclass(frozen=True)
class LoopRecord:
    """What happened from the first to the last day that counts.

    Units by item are (N,) in the order of `item_ids`; money is in the dataset's currency.
    """

    buyer: str
    seed: int
    days: int
    item_ids: tuple[str, ...]
    unit_value: FloatArray
    demanded: FloatArray
    served_at_once: FloatArray
    served: FloatArray
    """At once and later, backorders of before the loop included."""
    lost: FloatArray
    ordered: FloatArray
    received: FloatArray
    start_net: FloatArray
    """On hand less backorders before the first day."""
    end_net: FloatArray
    start_on_order: FloatArray
    end_on_order: FloatArray
    stock_value_by_day: FloatArray
    """(D,) value on hand at each day's close."""
    backorder_value_by_day: FloatArray
    """(D,)"""
    demand_value_by_day: FloatArray
    """(D,) what customers asked for."""
    served_value_by_day: FloatArray
    """(D,) what they got on the day they asked."""
    holding: float
    """Each item's holding rate on its value on hand, day by day."""
    purchase: float
    freight: float
    ordering: float
    orders: int
    latency_days: FloatArray
    """(orders,) from the day on which a need showed to the release of its order."""
    planning_seconds: FloatArray
    """(reviews,) computing time of each review that ordered something."""
