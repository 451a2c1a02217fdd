"""The company: four centres, sixty suppliers, and the items that a plan is most often wrong about."""

from collections import Counter
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from evals.worlds.company import AS_OF, CENTRES, make_company, write_company
from store.ingest import import_folder
from store.warehouse import Warehouse
from tools.domain.datasets import Dataset

ITEMS = 121


@pytest.fixture(scope="module")
def company() -> Dataset:
    return make_company(items=ITEMS)


def test_the_written_company_imports_without_a_reject(company: Dataset, tmp_path: Path) -> None:
    summary = write_company(tmp_path / "company", items=ITEMS)
    with Warehouse(tmp_path / "w.duckdb") as warehouse:
        report = import_folder(tmp_path / "company", AS_OF, warehouse)
        read = warehouse.load_dataset()
    assert not report.rejected and not report.unknown_columns
    for name in ("items", "suppliers", "sites", "offers", "on_hand", "open_orders", "receipts", "links", "calendar"):
        stored, made = getattr(read, name), getattr(company, name)
        assert stored == made if isinstance(made, dict) else Counter(stored) == Counter(made), name
    assert summary.rows["items"] == ITEMS and summary.rows["suppliers"] == 60 and summary.late_orders > 0


def test_every_item_belongs_to_one_of_four_centres_with_suppliers_of_its_own(company: Dataset) -> None:
    assert Counter(site for _, site in company.on_hand).keys() == CENTRES.keys()
    assert len(company.on_hand) == len(company.items) == ITEMS
    site_of = {item: site for item, site in company.on_hand}
    assert all(offer.site_id == site_of[offer.item_id] for offer in company.offers)
    assert len({supplier.name for supplier in company.suppliers.values()}) == 60
    orders = [order.order_id for order in company.open_orders]
    assert len(orders) == len(set(orders))
    assert {order.supplier_id for order in company.open_orders} <= company.suppliers.keys()


def test_every_link_leads_to_something_of_the_company(company: Dataset) -> None:
    for link in company.links:
        for node in (link.from_id, link.to_id):
            kind, _, name = node.rpartition(":")
            known = name.partition("-")[0] if kind == "plant" else node
            assert kind in ("country", "port", "raw") or known in company.suppliers or known in company.items, node


def test_dead_items_were_not_asked_for_in_a_year_and_keep_their_stock(company: Dataset) -> None:
    year = np.datetime64(AS_OF - timedelta(days=365))
    dead = [
        item
        for (item, _), h in company.demand.items()
        if h.dates.min() < year and not h.quantities[h.dates > year].any()
    ]
    assert len(dead) >= ITEMS // 12
    stocked = dict(zip((item for item, _ in company.on_hand), company.on_hand.values(), strict=True))
    assert all(stocked[item] > 0 for item in dead)
    assert not [order for order in company.open_orders if order.item_id in dead]


def test_new_items_have_few_weeks_of_history_and_no_older_receipt(company: Dataset) -> None:
    months = np.datetime64(AS_OF - timedelta(weeks=11))
    new = {item for (item, _), h in company.demand.items() if not len(h.dates) or h.dates.min() > months}
    assert len(new) >= ITEMS // 15
    assert not [one for one in company.receipts if one.item_id in new and np.datetime64(one.order_date) < months]


def test_half_of_the_items_are_recorded_by_day_and_half_by_week(company: Dataset) -> None:
    steps = [int(np.diff(h.dates).min().astype(int)) for h in company.demand.values() if len(h.dates) > 30]
    assert 0.3 < sum(step < 7 for step in steps) / len(steps) < 0.7
    weekly = [h for h in company.demand.values() if len(h.dates) > 30 and np.diff(h.dates).min().astype(int) == 7]
    assert {day.astype(object).weekday() for h in weekly for day in h.dates} == {0}


def test_one_seed_makes_one_company_and_another_seed_another() -> None:
    one, same, other = (make_company(seed, items=40) for seed in (7, 7, 8))
    assert one.receipts == same.receipts and one.offers == same.offers
    assert one.receipts != other.receipts
