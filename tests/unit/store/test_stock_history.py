"""Several dated stock counts of an item are its history: the latest is on hand, the others tell days without stock."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from evals.worlds.folder import write_folder
from store.ingest import ImportReport, import_folder
from store.warehouse import Warehouse
from tools.domain.errors import BadInput

AS_OF = date(2024, 3, 31)
COUNTS = "item_id,on_hand,as_of\nA,9,2024-03-31\nA,40,2024-01-01\nA,0,2024-03-01\nA,12,2024-03-11\nB,5,2024-03-31\n"


@pytest.fixture
def warehouse(tmp_path: Path) -> Iterator[Warehouse]:
    with Warehouse(tmp_path / "w.duckdb") as opened:
        yield opened


def imported(
    warehouse: Warehouse, folder: Path, stock: str = COUNTS, *, as_of: date = AS_OF, kind: str = "sales"
) -> ImportReport:
    folder.mkdir(exist_ok=True)
    files = {
        "items.csv": "item_id\nA\nB\n",
        "suppliers.csv": "supplier_id\nS\n",
        "offers.csv": "item_id,supplier_id,unit_price,moq,lead_time_days\nA,S,2,1,9\nB,S,2,1,9\n",
        "demand.csv": f"item_id,date,quantity,kind\nA,2024-01-01,10,{kind}\nB,2024-01-01,10,{kind}\n",
        "stock.csv": stock,
    }
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
    return import_folder(folder, as_of, warehouse)


def days(warehouse: Warehouse, item_id: str = "A") -> list[str]:
    return [str(day) for day in warehouse.load_dataset().stockouts.get((item_id, "MAIN"), ())]


def test_the_latest_count_is_on_hand_and_a_count_of_nothing_lasts_until_the_next(
    warehouse: Warehouse, tmp_path: Path
) -> None:
    imported(warehouse, tmp_path / "f")
    dataset = warehouse.load_dataset()
    assert dataset.on_hand == {("A", "MAIN"): 9.0, ("B", "MAIN"): 5.0}
    assert dataset.stock_as_of["A", "MAIN"] == AS_OF
    assert days(warehouse) == [f"2024-03-{day:02d}" for day in range(1, 11)]
    assert dataset.stock_history["A", "MAIN"].on_hand.tolist() == [40, 0, 12, 9]
    assert set(dataset.stock_history) == {("A", "MAIN")}
    assert days(warehouse, "B") == []


def test_counts_after_the_clock_are_not_known_yet(warehouse: Warehouse, tmp_path: Path) -> None:
    report = imported(warehouse, tmp_path / "f", as_of=date(2024, 3, 5))
    dataset = warehouse.load_dataset()
    assert (dataset.on_hand["A", "MAIN"], dataset.stock_as_of["A", "MAIN"]) == (0.0, date(2024, 3, 1))
    assert days(warehouse) == [f"2024-03-{day:02d}" for day in range(1, 6)]
    assert dataset.on_hand["B", "MAIN"] == 5.0
    assert "2 rows of stock.csv are dated after 2024-03-05 and were left out." in report.warnings
    assert any("Stock was counted on 2024-03-31, after the clock" in warning for warning in report.warnings)


@pytest.mark.parametrize(("kind", "expected"), [("sales", 10), ("", 10), ("demand", 0), ("order", 0)])
def test_only_sales_and_unnamed_records_are_doubted_where_stock_was_out(
    warehouse: Warehouse, tmp_path: Path, kind: str, expected: int
) -> None:
    imported(warehouse, tmp_path / "f", kind=kind)
    assert len(days(warehouse)) == expected


def test_two_counts_of_one_day_are_refused(warehouse: Warehouse, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"key \(item_id A, site_id MAIN, as_of 2024-03-31\) is already in row 2"):
        imported(warehouse, tmp_path / "f", COUNTS + "A,8,2024-03-31\n")


def test_one_of_several_counts_without_a_day_is_refused(warehouse: Warehouse, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"row 7, column as_of: the row names no day.*expected the day of the count"):
        imported(warehouse, tmp_path / "f", COUNTS + "A,8,\n")
    imported(warehouse, tmp_path / "f", "item_id,on_hand\nA,8\nB,2\n")
    assert warehouse.load_dataset().stock_as_of["A", "MAIN"] == AS_OF


def read_back(warehouse: Warehouse, on_hand: dict[tuple[str, str], float], as_of: date) -> None:
    warehouse.derive_dataset(
        str(warehouse.active_version()), receipts=[], open_orders=[], on_hand=on_hand, as_of=as_of, note="ERP"
    )


def test_read_backs_add_counts_and_a_second_look_on_a_day_replaces_the_first(
    warehouse: Warehouse, tmp_path: Path
) -> None:
    imported(warehouse, tmp_path / "f", "item_id,on_hand\nA,8\nB,2\n")
    both = [("A", "MAIN"), ("B", "MAIN")]
    read_back(warehouse, dict(zip(both, (3.0, 2.0), strict=True)), AS_OF)
    read_back(warehouse, dict(zip(both, (0.0, 2.0), strict=True)), date(2024, 4, 7))
    read_back(warehouse, dict(zip(both, (6.0, 2.0), strict=True)), date(2024, 4, 10))
    dataset = warehouse.load_dataset()
    assert dataset.on_hand == {("A", "MAIN"): 6.0, ("B", "MAIN"): 2.0}
    assert dataset.stock_history["A", "MAIN"].on_hand.tolist() == [3, 0, 6]
    assert days(warehouse) == ["2024-04-07", "2024-04-08", "2024-04-09"]


def test_stock_that_the_erp_no_longer_reports_is_none_to_plan_with(warehouse: Warehouse, tmp_path: Path) -> None:
    imported(warehouse, tmp_path / "f")
    read_back(warehouse, {("A", "MAIN"): 6.0}, date(2024, 4, 7))
    dataset = warehouse.load_dataset()
    assert set(dataset.on_hand) == set(dataset.stock_history) == {("A", "MAIN")}


def test_a_written_folder_brings_its_stock_history_back(warehouse: Warehouse, tmp_path: Path) -> None:
    imported(warehouse, tmp_path / "f")
    before = warehouse.load_dataset()
    write_folder(before, tmp_path / "again")
    import_folder(tmp_path / "again", AS_OF, warehouse)
    after = warehouse.load_dataset()
    assert after.on_hand == before.on_hand
    assert {key: found.on_hand.tolist() for key, found in after.stock_history.items()} == {
        key: found.on_hand.tolist() for key, found in before.stock_history.items()
    }
