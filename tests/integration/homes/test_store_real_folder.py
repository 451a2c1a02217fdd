"""The real folder and Parquet files, imported whole."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import duckdb
import pytest
from shared_data import shared_data

from store.ingest import import_folder
from store.warehouse import Warehouse

AS_OF = date(2013, 12, 31)


@pytest.fixture
def warehouse(tmp_path: Path) -> Iterator[Warehouse]:
    with Warehouse(tmp_path / "w.duckdb") as opened:
        yield opened


def test_the_real_distribution_centre_is_imported_whole(warehouse: Warehouse) -> None:
    report = import_folder(shared_data("demo_rdc"), AS_OF, warehouse)
    dataset = warehouse.load_dataset(report.version)
    sizes = (dataset.items, dataset.suppliers, dataset.offers, dataset.receipts, dataset.open_orders, dataset.links)
    assert [len(rows) for rows in sizes] == [14, 12, 56, 981, 78, 121]
    assert {len(history.dates) for history in dataset.demand.values()} == {72}
    assert len(dataset.demand) == 14
    assert (report.rejected, report.unknown_columns, dataset.currency) == ((), {}, "USD")
    assert {source.table for source in warehouse.lineage(dataset.version)} == set(report.tables) - {
        "calendar",
        "forecasts",
        "limits",
    }


def test_the_same_rows_in_parquet_make_the_same_dataset(warehouse: Warehouse, tmp_path: Path) -> None:
    source = shared_data("demo_rdc")
    target = tmp_path / "parquet"
    target.mkdir()
    with duckdb.connect(":memory:") as connection:
        for path in source.glob("*.csv"):
            connection.read_csv(str(path)).write_parquet(str(target / f"{path.stem}.parquet"))
    import_folder(source, AS_OF, warehouse)
    import_folder(target, AS_OF, warehouse)
    first, second = warehouse.datasets()
    assert first.content_hash == second.content_hash
