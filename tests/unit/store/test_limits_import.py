"""The optional table of shared limits: read, refused with reasons, and added to a warehouse of an earlier version."""

from datetime import date
from pathlib import Path

import duckdb
import pytest

from store.ingest import import_folder
from store.warehouse import Warehouse
from tools.domain.catalogue import LimitKind, PurchasingLimit
from tools.domain.errors import BadInput

AS_OF = date(2024, 3, 31)
FILES = {
    "items": "item_id,fill_rate_target,lost_sales_share,frozen_days\nA,0.97,0.25,14\nB,,,\n",
    "suppliers": "supplier_id\nS1\n",
    "offers": (
        "item_id,supplier_id,unit_price,moq,lead_time_days,price_breaks,incremental_breaks\n"
        "A,S1,2,10,20,100:1.9,true\nB,S1,2,10,20,,\n"
    ),
}


def put(folder: Path, **more: str) -> Path:
    folder.mkdir(exist_ok=True)
    for name, text in {**FILES, **more}.items():
        (folder / f"{name}.csv").write_text(text, encoding="utf-8")
    return folder


def test_limits_and_the_terms_of_items_and_offers_are_read(tmp_path: Path) -> None:
    limits = (
        "kind,supplier_id,from_date,to_date,amount\n"
        "capacity,S1,2024-04-08,2024-04-21,70\nbudget,,,,900\nshare,S1,,,0.6\n"
    )
    with Warehouse(tmp_path / "w.duckdb") as warehouse:
        assert import_folder(put(tmp_path / "in", limits=limits), AS_OF, warehouse).version is not None
        dataset = warehouse.load_dataset()
    assert dataset.limits == (
        PurchasingLimit(kind=LimitKind.BUDGET, amount=900),
        PurchasingLimit(
            kind=LimitKind.CAPACITY,
            supplier_id="S1",
            from_date=date(2024, 4, 8),
            to_date=date(2024, 4, 21),
            amount=70,
        ),
        PurchasingLimit(kind=LimitKind.SHARE, supplier_id="S1", amount=0.6),
    )
    item = dataset.items["A"]
    assert (item.fill_rate_target, item.lost_sales_share, item.frozen_days) == (0.97, 0.25, 14)
    assert [offer.incremental_breaks for offer in dataset.offers] == [True, False]


@pytest.mark.parametrize(
    ("row", "column", "reason"),
    [
        ("capacity,,,,70", "supplier_id", "names no supplier"),
        ("capacity,S9,,,70", "supplier_id", "is unknown"),
        ("budget,S1,,,70", "supplier_id", "has no supplier"),
        ("share,S1,,,60", "amount", "the share 60 is above 1"),
        ("share,S1,2024-04-01,,0.6", "from_date", "holds on any day"),
        ("orders,,2024-05-01,2024-04-01,3", "to_date", "before it starts"),
        ("orders,,,,-3", "amount", "negative"),
        ("mood,,,,3", "kind", "not known"),
    ],
)
def test_a_limit_that_makes_no_sense_is_refused_with_its_reason(
    tmp_path: Path, row: str, column: str, reason: str
) -> None:
    folder = put(tmp_path / "in", limits=f"kind,supplier_id,from_date,to_date,amount\n{row}\n")
    with Warehouse(tmp_path / "w.duckdb") as warehouse:
        with pytest.raises(BadInput):
            import_folder(folder, AS_OF, warehouse)
        assert warehouse.datasets() == []
        (reject,) = warehouse.rejects()
    assert (reject.file, reject.row, reject.column) == ("limits.csv", 2, column)
    assert reason in reject.reason
    assert reject.remedy


def test_a_warehouse_from_before_limits_gains_them_and_keeps_its_datasets(tmp_path: Path) -> None:
    path = tmp_path / "w.duckdb"
    with Warehouse(path) as warehouse:
        import_folder(put(tmp_path / "in"), AS_OF, warehouse)
    with duckdb.connect(str(path)) as earlier:
        earlier.execute("DROP TABLE c_limits")
        for column in ("fill_rate_target", "lost_sales_share", "frozen_days"):
            earlier.execute(f"ALTER TABLE c_items DROP COLUMN {column}")
        earlier.execute("ALTER TABLE c_offers DROP COLUMN incremental_breaks")
        earlier.execute("DELETE FROM migrations WHERE name = '0004_limits'")
    with Warehouse(path) as warehouse:
        dataset = warehouse.load_dataset()
        assert (dataset.limits, dataset.items["A"].lost_sales_share) == ((), 0.0)
        again = put(tmp_path / "in", limits="kind,amount\nbudget,900\n")
        assert import_folder(again, AS_OF, warehouse).version is not None
        assert warehouse.load_dataset().items["A"].lost_sales_share == 0.25
        assert len(warehouse.load_dataset().limits) == 1
