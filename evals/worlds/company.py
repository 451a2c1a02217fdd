"""A company of four distribution centres: four demo worlds in one, with the items that a generated world leaves out.

One item in twelve is dead (nothing asked for in a year), one in fifteen is new, and half of them are recorded by day.
"""

from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import reduce
from pathlib import Path
from typing import Self, TypeVar

import numpy as np

from evals.worlds.demo import WorldSummary, make_demo_world, written
from evals.worlds.parties import SITE
from tools.domain.catalogue import Offer, Supplier
from tools.domain.datasets import Dataset, DemandHistory
from tools.domain.orders import PurchaseOrder, Receipt

AS_OF = date(2026, 6, 28)
"""A Sunday: the week that follows begins with the last days of a month."""
CENTRES = {"DC1": "North", "DC2": "East", "DC3": "South", "DC4": "West"}
SUPPLIERS_EACH = 15
DEAD, NEW, DAILY = (12, 7), (15, 5), (2, 1)
"""Every so many items, beginning with that one."""
DEAD_WEEKS = 60
YOUNGEST_WEEKS, OLDEST_WEEKS = 3, 10
"""Of an item that is new, both ends included."""
WEEKDAYS = (0.21, 0.2, 0.2, 0.19, 0.16, 0.04, 0.0)
"""Shares of a week's demand by its days, from the first day of a recorded week, a Monday."""

_Traded = TypeVar("_Traded", Offer, PurchaseOrder, Receipt)
_Bought = TypeVar("_Bought", PurchaseOrder, Receipt)


@dataclass(frozen=True)
class _Names:
    """How the ids of one centre's world are told apart from the others'."""

    place: int
    site_id: str
    first_item: int

    def item(self, known: str) -> str:
        """`I001` of the second centre becomes `I0251` where the first has 250 items."""
        return f"I{self.first_item + int(known[1:]):04d}"

    def supplier(self, known: str) -> str:
        """`S01` of the second centre becomes `S16`."""
        return f"S{self.place * SUPPLIERS_EACH + int(known[1:]):02d}"

    def order(self, known: str) -> str:
        """Its number begins with that of the centre."""
        return f"PO{self.place + 1}-{known[2:]}"

    def node(self, known: str) -> str:
        """An item, a supplier or its plant; countries, ports and raw materials are everybody's."""
        kind, _, name = known.rpartition(":")
        if kind == "plant":
            supplier, _, plant = name.partition("-")
            return f"plant:{self.supplier(supplier)}-{plant}"
        return known if kind else self.item(known) if known.startswith("I") else self.supplier(known)


def make_company(seed: int = 7, as_of: date = AS_OF, items: int = 1000) -> Dataset:
    """The company's data; `items` are spread over the centres."""
    bounds = [items * place // len(CENTRES) for place in range(len(CENTRES) + 1)]
    parts = [
        _centre(_Names(place, site_id, bounds[place]), seed, as_of, bounds[place + 1] - bounds[place])
        for place, site_id in enumerate(CENTRES)
    ]
    return replace(_lived(reduce(_joined, parts), np.random.default_rng([seed, 100])), version=f"company-{seed}")


def write_company(folder: Path, *, seed: int = 7, as_of: date = AS_OF, items: int = 1000) -> WorldSummary:
    """Write the company's data as CSV files."""
    return written(make_company(seed, as_of, items), folder, seed)


def _centre(names: _Names, seed: int, as_of: date, items: int) -> Dataset:
    """A demo world of so many items under this centre's names."""
    made = make_demo_world(seed * len(CENTRES) + names.place, as_of, items).dataset
    site_id, name = names.site_id, CENTRES[names.site_id]
    suppliers = {names.supplier(key): _supplier(one, names) for key, one in made.suppliers.items()}
    return replace(
        made,
        items={names.item(key): one.model_copy(update={"item_id": names.item(key)}) for key, one in made.items.items()},
        suppliers=suppliers,
        sites={site_id: made.sites[SITE].model_copy(update={"site_id": site_id, "name": f"{name} centre"})},
        offers=tuple(_renamed(one, names) for one in made.offers),
        on_hand={(names.item(item), site_id): units for (item, _), units in made.on_hand.items()},
        stock_as_of={(names.item(item), site_id): day for (item, _), day in made.stock_as_of.items()},
        demand={
            (names.item(item), site_id): replace(one, item_id=names.item(item), site_id=site_id)
            for (item, _), one in made.demand.items()
        },
        open_orders=tuple(_ordered(one, names) for one in made.open_orders),
        receipts=tuple(_ordered(one, names) for one in made.receipts),
        links=tuple(
            one.model_copy(update={"from_id": names.node(one.from_id), "to_id": names.node(one.to_id)})
            for one in made.links
        ),
    )


def _supplier(known: Supplier, names: _Names) -> Supplier:
    return known.model_copy(
        update={
            "supplier_id": names.supplier(known.supplier_id),
            "name": f"{known.name} {CENTRES[names.site_id]}",
            "parent_id": names.supplier(known.parent_id) if known.parent_id else None,
        }
    )


def _renamed(known: _Traded, names: _Names) -> _Traded:
    """An offer, order or receipt of this centre."""
    return known.model_copy(
        update={
            "item_id": names.item(known.item_id),
            "supplier_id": names.supplier(known.supplier_id),
            "site_id": names.site_id,
        }
    )


def _ordered(known: _Bought, names: _Names) -> _Bought:
    return _renamed(known, names).model_copy(update={"order_id": names.order(known.order_id)})


def _joined(one: Dataset, other: Dataset) -> Dataset:
    """Both centres in one dataset; what they share stands once."""
    return replace(
        one,
        items={**one.items, **other.items},
        suppliers={**one.suppliers, **other.suppliers},
        sites={**one.sites, **other.sites},
        offers=one.offers + other.offers,
        on_hand={**one.on_hand, **other.on_hand},
        stock_as_of={**one.stock_as_of, **other.stock_as_of},
        demand={**one.demand, **other.demand},
        open_orders=one.open_orders + other.open_orders,
        receipts=one.receipts + other.receipts,
        links=tuple({(link.from_id, link.to_id, link.relation): link for link in one.links + other.links}.values()),
    )


def _lived(company: Dataset, rng: np.random.Generator) -> Dataset:
    """With dead items, new ones, and daily records, whose orders are those that their lives allow."""
    lives = {key: _Life.of(number, rng, company.as_of) for number, key in enumerate(company.items)}

    def allowed(order: PurchaseOrder | Receipt) -> bool:
        life = lives[order.item_id]
        return life.first <= order.order_date <= life.last

    return replace(
        company,
        demand={key: lives[key[0]].recorded(history, rng) for key, history in company.demand.items()},
        open_orders=tuple(one for one in company.open_orders if allowed(one)),
        receipts=tuple(one for one in company.receipts if allowed(one)),
    )


@dataclass(frozen=True)
class _Life:
    """When an item was asked for, and how that is recorded."""

    first: date
    last: date
    daily: bool

    @classmethod
    def of(cls, number: int, rng: np.random.Generator, as_of: date) -> Self:
        """Of the item of this number."""
        first, last = date.min, as_of
        if _is(DEAD, number):
            last = as_of - timedelta(weeks=DEAD_WEEKS)
        elif _is(NEW, number):
            first = as_of - timedelta(weeks=int(rng.integers(YOUNGEST_WEEKS, OLDEST_WEEKS, endpoint=True)))
        return cls(first, last, _is(DAILY, number))

    def recorded(self, weekly: DemandHistory, rng: np.random.Generator) -> DemandHistory:
        """Nothing before it was there, zeros after it was asked for last; by day only days with demand."""
        begun = weekly.dates > np.datetime64(self.first)
        asked = np.where(weekly.dates > np.datetime64(self.last), 0.0, weekly.quantities)
        dates, units = weekly.dates[begun], asked[begun]
        if self.daily:
            split = rng.multinomial(units.astype(np.int64), WEEKDAYS).astype(np.float64)
            days = dates[:, None] + np.arange(len(WEEKDAYS))
            dates, units = days[split > 0], split[split > 0]
        return replace(weekly, dates=dates, quantities=units)


def _is(every: tuple[int, int], number: int) -> bool:
    period, first = every
    return number % period == first
