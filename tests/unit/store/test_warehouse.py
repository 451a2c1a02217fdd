"""Dataset versions, artifacts and ownership of the warehouse file."""

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest
from loaded_command import loaded_command

from store.warehouse import SourceFile, Warehouse, WarehouseBusy
from tools.domain.errors import NotFound
from tools.domain.orders import OpenOrderStatus, PurchaseOrder, Receipt

TODAY = date(2024, 3, 31)
WHEN = datetime(2024, 4, 1, tzinfo=UTC)


@pytest.fixture
def warehouse(tmp_path: Path) -> Iterator[Warehouse]:
    with Warehouse(tmp_path / "w.duckdb") as opened:
        yield opened


Rows = Sequence[tuple[Any, ...]]


def _tables(on_hand: float = 40.0, demand: Rows = ()) -> dict[str, Rows]:
    rows: dict[str, Rows] = {}
    rows["items"] = [(name, *[None] * 15) for name in ("B", "A")]
    rows["suppliers"] = [("S1", "Alder", "DE", None, "active", 0.1, 0.0)]
    rows["sites"] = [("MAIN", "Main", None)]
    rows["offers"] = [
        ("A", "S1", "MAIN", 2.0, "USD", "500:9.0;100:9.5", 10.0, 1.0, None, 20.0, *[None] * 5, None, None, None, None)
    ]
    rows["stock"] = [("A", "MAIN", on_hand, TODAY)]
    rows["demand"] = demand
    return rows


def _import(warehouse: Warehouse, tables: dict[str, Rows]) -> str:
    lineage = [SourceFile("items.csv", "items", "ab", 2, 0, WHEN)]
    with warehouse.staging() as staged:
        for name, rows in tables.items():
            staged.put_rows(name, rows)
        return warehouse.import_tables(staged, lineage, TODAY, "USD")


def _content(warehouse: Warehouse, tables: dict[str, Rows]) -> str:
    version = _import(warehouse, tables)
    return next(info.content_hash for info in warehouse.datasets() if info.version == version)


def test_a_version_is_loaded_as_it_was_imported(warehouse: Warehouse) -> None:
    version = _import(warehouse, _tables())
    dataset = warehouse.load_dataset()
    assert (dataset.version, dataset.as_of, dataset.currency) == (version, TODAY, "USD")
    assert list(dataset.items) == ["A", "B"]
    assert [(step.quantity, step.unit_price) for step in dataset.offers[0].price_breaks] == [(100, 9.5), (500, 9)]
    assert dataset.on_hand == {("A", "MAIN"): 40.0}
    assert warehouse.lineage(version) == [SourceFile("items.csv", "items", "ab", 2, 0, WHEN)]


def test_the_newest_import_is_active_until_an_older_one_is_activated(warehouse: Warehouse) -> None:
    first, second = _import(warehouse, _tables()), _import(warehouse, _tables(5.0))
    assert warehouse.active_version() == second
    warehouse.activate(first)
    assert warehouse.load_dataset().on_hand["A", "MAIN"] == 40.0
    assert [info.version for info in warehouse.datasets() if info.active] == [first]
    with pytest.raises(NotFound):
        warehouse.activate("ds-9-nothing")


def test_the_content_hash_ignores_the_order_of_rows_and_sees_every_value(warehouse: Warehouse) -> None:
    days = [("A", "MAIN", date(2024, 1, day), float(day), "demand") for day in (1, 2)]
    assert _content(warehouse, _tables(demand=days)) == _content(warehouse, _tables(demand=days[::-1]))
    assert _content(warehouse, _tables()) != _content(warehouse, _tables(41.0))


def test_an_import_that_breaks_off_leaves_nothing(warehouse: Warehouse) -> None:
    good = _import(warehouse, _tables())
    broken = {**_tables(), "stock": [("A", "MAIN", "many", TODAY)]}
    with pytest.raises(duckdb.Error):
        _import(warehouse, broken)
    assert warehouse.active_version() == good
    assert [info.version for info in warehouse.datasets()] == [good]
    assert _import(warehouse, _tables()).startswith("ds-2-")
    assert len(warehouse.load_dataset().items) == 2


def test_sales_are_not_added_to_demand(warehouse: Warehouse) -> None:
    day = date(2024, 1, 1)
    rows = [("A", "MAIN", day, 7.0, "sales"), ("A", "MAIN", day, 10.0, "demand"), ("B", "MAIN", day, 3.0, None)]
    _import(warehouse, _tables(demand=rows))
    demand = warehouse.load_dataset().demand
    assert demand["A", "MAIN"].quantities.tolist() == [10.0]
    assert demand["B", "MAIN"].quantities.tolist() == [3.0]


def test_a_read_back_appends_receipts_and_replaces_orders_and_stock(warehouse: Warehouse) -> None:
    parent = _import(warehouse, _tables())
    later = date(2024, 4, 20)
    terms = {"item_id": "A", "supplier_id": "S1", "order_date": TODAY}
    receipt = Receipt(order_id="P1", quantity=10, receipt_date=later, **terms)
    order = PurchaseOrder(order_id="P2", quantity=5, status=OpenOrderStatus.SENT, promised_date=later, **terms)
    child = ""
    for _ in range(2):
        child = warehouse.derive_dataset(
            warehouse.active_version() or parent,
            receipts=[receipt],
            open_orders=[order],
            on_hand={("A", "MAIN"): 50.0},
            as_of=later,
            note="read back from the ERP",
        )
    dataset = warehouse.load_dataset(child)
    assert dataset.receipts == (receipt,)
    assert dataset.open_orders == (order,)
    assert (dataset.on_hand["A", "MAIN"], dataset.as_of) == (50.0, later)
    assert warehouse.load_dataset(parent).receipts == ()
    assert warehouse.datasets()[-2].parent == parent


def test_without_an_import_the_reader_is_told_what_to_run(warehouse: Warehouse) -> None:
    with pytest.raises(NotFound, match="jit import"):
        warehouse.load_dataset()
    with pytest.raises(NotFound):
        warehouse.derive_dataset("ds-1", receipts=[], open_orders=[], on_hand={}, as_of=TODAY, note="")


def test_an_artifact_put_again_is_replaced(warehouse: Warehouse) -> None:
    warehouse.put_artifact("r1", "plan", "A", {"quantity": 5})
    warehouse.put_artifacts("r1", "plan", {"A": {"quantity": 7}, "B": {"quantity": 1.5}})
    assert warehouse.artifact("r1", "plan", "A") == {"quantity": 7}
    assert warehouse.artifacts("r1", "plan") == {"A": {"quantity": 7}, "B": {"quantity": 1.5}}
    assert warehouse.artifact("r1", "forecast", "A") is None


def test_threads_write_and_read_at_once(warehouse: Warehouse) -> None:
    def work(number: int) -> int:
        warehouse.put_artifact("r1", "plan", str(number), {"number": number})
        return len(warehouse.artifacts("r1", "plan"))

    with ThreadPoolExecutor(4) as pool:
        assert max(pool.map(work, range(16))) == 16


def test_kpis_are_kept_over_time(warehouse: Warehouse) -> None:
    warehouse.put_kpis(None, "ds-1", {"fill_rate": 0.9}, datetime(2024, 1, 1, tzinfo=UTC))
    warehouse.put_kpis("r1", "ds-1", {"fill_rate": 0.95, "turns": 4}, datetime(2024, 2, 1, tzinfo=UTC))
    assert [value for _, value in warehouse.kpi_history("fill_rate")] == [0.9, 0.95]


def test_a_second_process_is_told_who_to_ask_instead_of_a_lock_error(warehouse: Warehouse, tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from store.warehouse import Warehouse\n"
        "from tools.domain.errors import OutOfReach\n"
        "try: Warehouse(Path(sys.argv[1]))\n"
        "except OutOfReach as error: print(error); sys.exit(error.exit_code)"
    )
    done = loaded_command().run(["-c", code, str(tmp_path / "w.duckdb")], os.environ, tmp_path, 60)
    assert done.returncode == 3
    assert WarehouseBusy.code in done.stdout
    assert "running server" in done.stdout
