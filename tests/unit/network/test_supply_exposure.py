from dataclasses import dataclass, replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from shared_data import shared_data

from store.ingest import import_folder
from store.warehouse import Warehouse
from tools.domain.catalogue import Item, Link, Offer, Relation, Supplier, SupplierStatus
from tools.domain.datasets import Dataset
from tools.domain.orders import PurchaseOrder
from tools.lead_times import estimate_lead_times
from tools.network import build_graph, exposure


@dataclass(frozen=True)
class Sure:
    days: int

    def quantile(self, q: float) -> int:
        return self.days


def supply(*suppliers: str, links: tuple[Link, ...] = (), stock: float = 100.0, inbound: float = 50.0) -> Dataset:
    return Dataset(
        version="ds-1",
        as_of=date(2026, 1, 5),
        currency="USD",
        items={"pill": Item(item_id="pill", unit_value=3.0)},
        suppliers={key: Supplier(supplier_id=key) for key in suppliers},
        sites={},
        offers=tuple(Offer(item_id="pill", supplier_id=key, unit_price=2.0, lead_time_days=40) for key in suppliers),
        on_hand={("pill", "MAIN"): stock},
        stock_as_of={},
        demand={},
        open_orders=(
            PurchaseOrder(
                order_id="PO1", item_id="pill", supplier_id="Acme", quantity=inbound, order_date=date(2025, 12, 1)
            ),
        ),
        receipts=(),
        links=links,
    )


def exposed(dataset: Dataset, *, acme: int = 40, bolt: int = 25, daily: float = 10.0):
    days = {"Acme": acme, "Bolt": bolt}
    leads = {offer.offer_id: Sure(days[offer.supplier_id]) for offer in dataset.offers}
    rows = exposure(build_graph(dataset), dataset, leads, {"pill": daily})
    return {row.node_id: row for row in rows}


def test_a_sole_source_is_replaced_after_two_lead_times_and_its_own_orders_do_not_come():
    row = exposed(supply("Acme"))["Acme"]
    assert row.days_of_cover == pytest.approx(100 / 10)
    assert row.days_to_recover == pytest.approx(2 * 40)
    assert row.money_at_risk == pytest.approx((80 - 10) * 10 * 3.0)
    assert row.route == "Acme → pill"


def test_another_source_recovers_within_its_lead_time_and_orders_from_the_rest_count_as_cover():
    rows = exposed(supply("Acme", "Bolt"))
    assert rows["Acme"].days_to_recover == 25
    assert rows["Bolt"].days_of_cover == pytest.approx(150 / 10)


def test_a_source_that_may_not_be_ordered_from_is_no_replacement():
    dataset = supply("Acme", "Bolt")
    blocked = {**dataset.suppliers, "Bolt": Supplier(supplier_id="Bolt", status=SupplierStatus.BLOCKED)}
    assert exposed(replace(dataset, suppliers=blocked))["Acme"].days_to_recover == 80


def test_a_country_that_holds_both_sources_is_worse_than_either():
    links = tuple(Link(from_id=key, to_id="country:IN", relation=Relation.LOCATED_IN) for key in ("Acme", "Bolt"))
    rows = exposed(supply("Acme", "Bolt", links=links))
    assert rows["country:IN"].days_to_recover == 2 * 25
    assert rows["country:IN"].money_at_risk > max(rows["Acme"].money_at_risk, rows["Bolt"].money_at_risk)


def test_a_node_behind_one_supplier_alone_is_not_told_twice():
    links = (Link(from_id="Acme", to_id="country:IN", relation=Relation.LOCATED_IN),)
    assert set(exposed(supply("Acme", "Bolt", links=links))) == {"Acme", "Bolt"}


@given(stock=st.floats(0, 1e6), more=st.floats(0, 1e6), daily=st.floats(0.01, 1e4))
def test_more_stock_never_puts_more_money_at_risk(stock: float, more: float, daily: float):
    less, safer = (exposed(supply("Acme", stock=units), daily=daily)["Acme"] for units in (stock, stock + more))
    assert 0 <= safer.money_at_risk <= less.money_at_risk + 1e-6
    assert safer.days_of_cover >= less.days_of_cover


def test_the_real_network_is_exposed_through_india_more_than_through_any_supplier(tmp_path):
    with Warehouse(tmp_path / "warehouse.duckdb") as warehouse:
        import_folder(shared_data("demo_rdc"), date(2013, 12, 31), warehouse)
        dataset = warehouse.load_dataset()
    leads = estimate_lead_times(dataset.offers, dataset.receipts, dataset.open_orders, dataset.as_of)
    daily = {item: float(known.quantities[-12:].sum()) / 365 for (item, _), known in dataset.demand.items()}
    rows = exposure(build_graph(dataset), dataset, leads, daily)
    worst = max(rows, key=lambda row: row.money_at_risk)
    assert worst.node_id == "country:IN"
    assert worst.money_at_risk > 2 * max(row.money_at_risk for row in rows if row.node_id.startswith("S"))
    assert list(rows) == sorted(rows, key=lambda row: -row.money_at_risk)
