"""The demo world: a seeded distribution centre for medical supplies, calibrated to public figures.

Figures and their sources stand in calibration.yaml. Names, products and unit values are invented.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np

from evals.worlds.calibration import load_calibration
from evals.worlds.folder import write_folder
from evals.worlds.goods import Good, make_goods
from evals.worlds.parties import SITE, make_links, make_offers, make_parties
from evals.worlds.past import Lane, Lanes, Orders, demand_history, orders_of, stock_on_hand, without_held_supplier
from evals.worlds.truth import DemoTruth
from tools.domain.catalogue import Site
from tools.domain.datasets import CalendarDay, Dataset, DemandHistory

AS_OF = date(2026, 6, 30)
ITEMS = 40


@dataclass(frozen=True, slots=True)
class WorldSummary:
    """What a world's folder holds."""

    folder: Path
    seed: int
    as_of: date
    rows: dict[str, int]
    """By table."""
    late_orders: int
    """Open orders past their promised date."""
    open_order_value: float
    stock_value: float
    currency: str


@dataclass(frozen=True)
class DemoWorld:
    """The buyer's data and the truth behind it."""

    dataset: Dataset
    truth: DemoTruth


def make_demo_world(seed: int = 7, as_of: date = AS_OF, items: int = ITEMS) -> DemoWorld:
    """Build the world of this seed in memory."""
    figures = load_calibration()
    rng = np.random.default_rng(seed)
    goods = make_goods(rng, figures, items, as_of)
    parties = make_parties(rng, figures)
    offers = make_offers(rng, figures, goods, parties)
    history = {(g.item.item_id, SITE): demand_history(rng, g, as_of) for g in goods}
    lanes = _by_item(offers)
    orders = _orders(rng, goods, lanes, as_of)
    stock = {
        key: stock_on_hand(rng, number, history[key].quantities, lanes[key[0]]) for number, key in enumerate(history)
    }
    volume = sum(good.item.storage_volume * good.demand.weekly_mean * 26 for good in goods)
    dataset = Dataset(
        version=f"demo-{seed}",
        as_of=as_of,
        currency="USD",
        items={good.item.item_id: good.item for good in goods},
        suppliers={p.supplier.supplier_id: p.supplier for p in parties},
        sites={SITE: Site(site_id=SITE, name="Distribution centre", storage_capacity=float(round(volume)))},
        offers=tuple(offer for offer, _ in offers),
        on_hand=stock,
        stock_as_of=dict.fromkeys(stock, as_of),
        demand=history,
        open_orders=tuple(sorted(orders.open_orders, key=lambda o: o.order_id)),
        receipts=tuple(sorted(orders.receipts, key=lambda r: r.order_id)),
        links=tuple(make_links(parties, goods)),
        calendar=_calendar(as_of, history),
    )
    truth = DemoTruth(
        seed=seed,
        as_of=as_of,
        demand={good.item.item_id: good.demand for good in goods},
        lead_times={offer.offer_id: law for offer, law in offers},
        floor_fractions={p.supplier.supplier_id: p.floor_fraction for p in parties},
    )
    return DemoWorld(dataset, truth)


def write_demo_world(folder: Path, *, seed: int = 7, as_of: date = AS_OF) -> WorldSummary:
    """Write the buyer's data of the world of this seed as CSV files; nothing of its truth."""
    return written(make_demo_world(seed, as_of).dataset, folder, seed)


def written(dataset: Dataset, folder: Path, seed: int) -> WorldSummary:
    """Write a world's data as CSV files, and tell what they hold."""
    prices = {(offer.item_id, offer.supplier_id): offer.unit_price for offer in dataset.offers}
    late = (o.promised_date is not None and o.promised_date < dataset.as_of for o in dataset.open_orders)
    return WorldSummary(
        folder=folder,
        seed=seed,
        as_of=dataset.as_of,
        rows=write_folder(dataset, folder),
        late_orders=sum(late),
        open_order_value=sum(o.quantity * prices[o.item_id, o.supplier_id] for o in dataset.open_orders),
        stock_value=sum(units * dataset.items[item_id].unit_value for (item_id, _), units in dataset.on_hand.items()),
        currency=dataset.currency,
    )


def _orders(rng: np.random.Generator, goods: Sequence[Good], lanes_of: Mapping[str, Lanes], as_of: date) -> Orders:
    all_orders = Orders([], [])
    for number, good in enumerate(goods):
        made = without_held_supplier(orders_of(rng, good, lanes_of[good.item.item_id], as_of, 10000 + 200 * number))
        all_orders.receipts.extend(made.receipts)
        all_orders.open_orders.extend(made.open_orders)
    return all_orders


def _by_item(offers: Lanes) -> dict[str, list[Lane]]:
    found: dict[str, list[Lane]] = {}
    for lane in offers:
        found.setdefault(lane[0].item_id, []).append(lane)
    return found


def _calendar(as_of: date, history: dict[tuple[str, str], DemandHistory]) -> tuple[CalendarDay, ...]:
    """The closed days at the turn of each year in sight."""
    first = min(h.dates.min() for h in history.values()).astype(object).year
    days = [date(year, month, day) for year in range(first, as_of.year + 1) for month, day in ((12, 25), (12, 26))]
    return tuple(CalendarDay(day, None, promotion=False, closed=True) for day in days)
