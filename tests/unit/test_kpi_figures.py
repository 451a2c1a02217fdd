import csv
from dataclasses import replace
from datetime import date
from math import isnan

import numpy as np
import pytest
from shared_data import shared_data

from tools.domain.catalogue import Item, Offer, PriceBreak
from tools.domain.datasets import Dataset, DemandHistory
from tools.domain.orders import OpenOrderStatus, PurchaseOrder, Receipt
from tools.kpi import KPI_FORMULAS, compute_kpis, fill_rate

AS_OF = date(2024, 12, 31)


def empty() -> Dataset:
    return Dataset(
        version="v",
        as_of=AS_OF,
        currency="USD",
        items={"A": Item(item_id="A", unit_value=2.0), "B": Item(item_id="B", unit_value=10.0)},
        suppliers={},
        sites={},
        offers=(),
        on_hand={},
        stock_as_of={},
        demand={},
        open_orders=(),
        receipts=(),
    )


def demand(item_id: str, days: list[str], units: list[float]) -> dict[tuple[str, str], DemandHistory]:
    return {(item_id, "MAIN"): DemandHistory(item_id, "MAIN", np.array(days, dtype="datetime64[D]"), np.array(units))}


def receipt(order_id: str, came: date, promised: date | None = None, units: float = 10) -> Receipt:
    return Receipt(
        order_id=order_id,
        item_id="A",
        supplier_id="S",
        quantity=units,
        order_date=date(2024, 5, 1),
        promised_date=promised,
        receipt_date=came,
    )


def open_order(order_id: str, promised: date, status: OpenOrderStatus = OpenOrderStatus.CONFIRMED) -> PurchaseOrder:
    return PurchaseOrder(
        order_id=order_id,
        item_id="A",
        supplier_id="S",
        quantity=5,
        order_date=date(2024, 5, 1),
        promised_date=promised,
        status=status,
    )


def test_turns_are_yearly_demand_over_stock_and_cover_is_its_inverse_in_days() -> None:
    stocked = replace(
        empty(),
        on_hand={("A", "MAIN"): 100.0, ("B", "MAIN"): -5.0},
        demand=demand("A", ["2023-06-01", "2024-03-01", "2024-09-01"], [999.0, 250.0, 350.0]),
    )
    found = compute_kpis(stocked)
    assert found["stock_value"] == 200
    assert found["inventory_turns"] == pytest.approx(600 * 2 / 200)
    assert found["days_of_cover"] == pytest.approx(365 / 6)


def test_every_figure_is_named_and_nan_where_the_data_holds_nothing() -> None:
    found = compute_kpis(empty())
    assert set(found) == set(KPI_FORMULAS)
    assert {name for name, value in found.items() if not isnan(value)} == {"stock_value", "open_order_value"}


def test_fill_rate_is_units_served_over_units_demanded() -> None:
    assert fill_rate(200, 190) == pytest.approx(0.95)
    assert fill_rate(100, 120) == 1
    assert isnan(fill_rate(0, 0))
    assert compute_kpis(empty(), demanded=50, served=40)["fill_rate"] == pytest.approx(0.8)


def test_a_line_is_on_time_in_full_when_its_last_receipt_kept_the_promise_and_nothing_is_open() -> None:
    due = date(2024, 7, 1)
    lines = replace(
        empty(),
        receipts=(
            receipt("kept", date(2024, 6, 30), due),
            receipt("late", date(2024, 7, 2), due),
            receipt("split", date(2024, 6, 20), due),
            receipt("split", date(2024, 7, 20), due),
            receipt("part", date(2024, 6, 20), due),
            receipt("no promise", date(2024, 6, 20)),
            receipt("long ago", date(2023, 6, 20), date(2023, 6, 1)),
        ),
        open_orders=(
            open_order("part", due),
            open_order("overdue", due),
            open_order("to come", date(2025, 2, 1)),
            open_order("cancelled", due, OpenOrderStatus.CANCELLED),
        ),
    )
    assert compute_kpis(lines)["otif"] == pytest.approx(1 / 5)


def test_landed_cost_adds_freight_and_one_fixed_cost_per_order_at_the_price_of_the_whole_quantity() -> None:
    terms = Offer(
        item_id="A",
        supplier_id="S",
        unit_price=3.0,
        price_breaks=(PriceBreak(quantity=20, unit_price=2.5),),
        lead_time_days=10,
        freight_per_unit=0.5,
        fixed_order_cost=40,
    )
    express = terms.model_copy(update={"unit_price": 1.0, "price_breaks": (), "expedite": True})
    split = replace(
        empty(),
        offers=(express, terms),
        receipts=(receipt("P", date(2024, 6, 1)), receipt("P", date(2024, 6, 9))),
    )
    found = compute_kpis(split)
    assert found["landed_cost"] == pytest.approx(20 * (2.5 + 0.5) + 40)
    assert found["landed_cost_ratio"] == pytest.approx(100 / 40)


def test_a_receipt_without_terms_costs_its_unit_value() -> None:
    assert compute_kpis(replace(empty(), receipts=(receipt("P", date(2024, 6, 1)),)))["landed_cost"] == 20


def test_cycle_time_is_taken_over_the_receipts_of_the_window() -> None:
    came = tuple(receipt(f"P{day}", date(2024, 5, day)) for day in range(2, 12))
    old = (receipt("old", date(2023, 5, 1)),)
    found = compute_kpis(replace(empty(), receipts=came + old))
    assert found["cycle_time_mean_days"] == pytest.approx(5.5)
    assert found["cycle_time_p90_days"] == pytest.approx(9.1)


def test_open_orders_are_valued_without_the_closed_ones() -> None:
    due = date(2025, 2, 1)
    orders = (open_order("a", due), open_order("b", due, OpenOrderStatus.RECEIVED))
    assert compute_kpis(replace(empty(), open_orders=orders))["open_order_value"] == 10


def test_real_stock_of_three_months_of_demand_covers_about_ninety_days() -> None:
    folder = shared_data("demo_rdc")

    def rows(name: str) -> list[dict[str, str]]:
        with (folder / f"{name}.csv").open(encoding="utf-8") as file:
            return list(csv.DictReader(file))

    items = {r["item_id"]: Item(item_id=r["item_id"], unit_value=float(r["unit_value"])) for r in rows("items")}
    asked: dict[tuple[str, str], DemandHistory] = {}
    for item_id in items:
        mine = [r for r in rows("demand") if r["item_id"] == item_id]
        asked |= {
            (item_id, "RDC"): DemandHistory(
                item_id,
                "RDC",
                np.array([r["date"] for r in mine], dtype="datetime64[D]"),
                np.array([float(r["quantity"]) for r in mine]),
            )
        }
    real = replace(
        empty(),
        as_of=date(2013, 12, 31),
        items=items,
        on_hand={(r["item_id"], r["site_id"]): float(r["on_hand"]) for r in rows("stock")},
        demand=asked,
    )
    found = compute_kpis(real)
    assert found["days_of_cover"] == pytest.approx(91, abs=5)
    assert found["inventory_turns"] == pytest.approx(4, abs=0.3)
