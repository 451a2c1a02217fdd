"""Each kind of bad input gives one clear message, and the last good dataset stays active."""

from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import pytest

from store.ingest import import_folder
from store.warehouse import Warehouse
from tools.domain.errors import BadInput

AS_OF = date(2024, 3, 31)
GOOD = {
    "items.csv": "item_id,description,unit_value,currency\nA,Bolt,2.0,USD\nB,Nut,1.0,USD\n",
    "suppliers.csv": "supplier_id,name,status\nS1,Alder,active\nS2,Birch,active\n",
    "offers.csv": (
        "item_id,supplier_id,unit_price,currency,moq,max_quantity,lead_time_days,price_breaks\n"
        "A,S1,2.0,USD,10,500,20,100:1.9;200:1.8\nB,S2,1.0,USD,5,,12,\n"
    ),
    "demand.csv": "item_id,date,quantity\nA,2024-01-01,10\nA,2024-02-01,12\nB,2024-01-01,3\n",
    "stock.csv": "item_id,on_hand,as_of\nA,40,2024-03-31\nB,9,2024-03-31\n",
    "receipts.csv": (
        "order_id,item_id,supplier_id,quantity,order_date,receipt_date\nP1,A,S1,50,2024-01-05,2024-01-26\n"
    ),
}


@pytest.fixture
def warehouse(tmp_path: Path) -> Iterator[Warehouse]:
    with Warehouse(tmp_path / "w.duckdb") as opened:
        yield opened


@pytest.fixture
def folder(tmp_path: Path) -> Callable[..., Path]:
    def write(**changed: str | bytes | None) -> Path:
        target = tmp_path / f"folder{len(list(tmp_path.iterdir()))}"
        target.mkdir()
        for name, content in {**GOOD, **{f"{key}.csv": value for key, value in changed.items()}}.items():
            if isinstance(content, bytes):
                (target / name).write_bytes(content)
            elif content is not None:
                (target / name).write_text(content, encoding="utf-8")
        return target

    return write


OFFERS = GOOD["offers.csv"]
CASES = {
    "excel_named_csv": (
        {"items": b"PK\x03\x04\x14\x00" + bytes(range(256)) * 4},
        ("items.csv", 1, "", "an Excel workbook", "Save as, CSV UTF-8"),
    ),
    "utf_16": (
        {"items": GOOD["items.csv"].encode("utf-16")},
        ("items.csv", 1, "", "text in UTF-16", "Save as, CSV UTF-8"),
    ),
    "zero_byte": (
        {"items": GOOD["items.csv"].replace("Nut", "N\0t").encode()},
        ("items.csv", 3, "", "holds a zero byte", "Save as, CSV UTF-8"),
    ),
    "a_cell_beyond_every_limit": (
        {"items": GOOD["items.csv"].replace("Bolt", "x" * 200_000)},
        ("items.csv", 1, "", "does not read as CSV", "far too long"),
    ),
    "a_quote_that_is_never_closed": (
        {"demand": "item_id,date,quantity\n" + 'A,2024-01-01,"10\n' + "A,2024-02-01,12\n" * 40},
        ("demand.csv", 2, "", "a quote that opens here runs on", "Close the quote"),
    ),
    "a_number_beyond_reason": (
        {"demand": GOOD["demand.csv"].replace(",10\n", ",1e300\n")},
        ("demand.csv", 2, "quantity", "beyond 1e+12", "Correct quantity"),
    ),
    "thousands_separators": (
        {"demand": GOOD["demand.csv"].replace(",10\n", ',"1,100"\n')},
        ("demand.csv", 2, "quantity", "'1,100' is not a plain number", "Correct quantity"),
    ),
    "a_day_in_another_notation": (
        {"demand": GOOD["demand.csv"].replace("2024-01-01,10", "01/02/2024,10")},
        ("demand.csv", 2, "date", "year-month-day", "Correct date"),
    ),
    "infinity": (
        {"demand": GOOD["demand.csv"].replace(",10\n", ",inf\n")},
        ("demand.csv", 2, "quantity", "'inf' is not a plain number", "Correct quantity"),
    ),
    "a_price_of_nothing": (
        {"offers": OFFERS.replace("B,S2,1.0", "B,S2,0")},
        ("offers.csv", 3, "unit_price", "unit_price 0 is out of bounds", "Correct unit_price"),
    ),
    "missing_required_column": (
        {"offers": "item_id,supplier_id,unit_price,moq\nA,S1,2.0,10\n"},
        ("offers.csv", 1, "lead_time_days", "missing", "Add the column"),
    ),
    "unknown_supplier": (
        {"offers": OFFERS.replace("B,S2,1.0", "B,S9,1.0")},
        ("offers.csv", 3, "supplier_id", "'S9' is unknown", "Add S9 to suppliers.csv"),
    ),
    "negative_quantity": (
        {"demand": GOOD["demand.csv"].replace("2024-02-01,12", "2024-02-01,-12")},
        ("demand.csv", 3, "quantity", "is negative", "Correct quantity"),
    ),
    "receipt_before_order": (
        {"receipts": GOOD["receipts.csv"].replace("2024-01-26", "2023-12-26")},
        ("receipts.csv", 2, "receipt_date", "before the order date 2024-01-05", "Correct order_date or receipt_date"),
    ),
    "duplicate_key": (
        {"items": GOOD["items.csv"] + "A,Bolt again,2.0,USD\n"},
        ("items.csv", 4, "item_id", "already in row 2", "Leave out one"),
    ),
    "not_utf8": (
        {"suppliers": "supplier_id,name,status\nS1,Alder,active\nS2,Bj\xf6rk,active\n".encode("latin-1")},
        ("suppliers.csv", 3, "name", "byte 0xf6 is not UTF-8", "Save suppliers.csv as UTF-8"),
    ),
    "two_currencies_without_rate": (
        {"offers": OFFERS.replace("B,S2,1.0,USD", "B,S2,1.0,EUR")},
        ("offers.csv", 3, "currency", "EUR has no rate to USD", "rates.csv"),
    ),
    "moq_above_max": (
        {"offers": OFFERS.replace("USD,10,500", "USD,900,500")},
        ("offers.csv", 2, "moq", "MOQ 900 is above the max_quantity 500", "Lower moq"),
    ),
    "not_a_number": (
        {"stock": GOOD["stock.csv"].replace("A,40", 'A,"4,000"')},
        ("stock.csv", 2, "on_hand", "'4,000' is not a plain number", "Correct on_hand"),
    ),
    "bad_price_breaks": (
        {"offers": OFFERS.replace("100:1.9;200:1.8", "100=1.9")},
        ("offers.csv", 2, "price_breaks", "not a list of price breaks", "Correct price_breaks"),
    ),
    "empty_required_cell": (
        {"offers": OFFERS.replace("A,S1,2.0", "A,S1,")},
        ("offers.csv", 2, "unit_price", "empty", "Correct unit_price"),
    ),
    "ragged_row": (
        {"demand": GOOD["demand.csv"] + "B,2024-02-01\n"},
        ("demand.csv", 5, "", "2 cells", "Put quotes"),
    ),
    "missing_file": ({"suppliers": None}, ("suppliers.csv", 1, "supplier_id", "file is missing", "Put at least")),
    "only_a_header": (
        {"items": "item_id\n", "demand": None, "stock": None, "receipts": None, "offers": OFFERS.split("\n")[0]},
        ("items.csv", 2, "item_id", "a header and no rows", "Fill items.csv"),
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_bad_input_names_file_row_column_expectation_and_remedy_and_keeps_the_last_good_version(
    case: str, warehouse: Warehouse, folder: Callable[..., Path]
) -> None:
    good = import_folder(folder(), AS_OF, warehouse).version
    changed, (file, row, column, reason, remedy) = CASES[case]
    with pytest.raises(BadInput) as refused:
        import_folder(folder(**changed), AS_OF, warehouse)
    error = refused.value
    assert (error.context["file"], error.context["row"], error.context["column"]) == (file, row, column)
    assert reason in error.message
    assert "expected" in error.message
    assert remedy in error.remedy
    assert error.exit_code == 2
    assert warehouse.active_version() == good
    assert len(warehouse.datasets()) == 1
    kept = warehouse.rejects(str(error.context["import_id"]))
    assert (kept[0].file, kept[0].row, kept[0].column) == (file, row, column)


def test_an_empty_and_an_absent_folder_are_refused(warehouse: Warehouse, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(BadInput, match=r"empty of canonical files.*items\.csv"):
        import_folder(tmp_path / "empty", AS_OF, warehouse)
    with pytest.raises(BadInput, match="does not exist"):
        import_folder(tmp_path / "absent", AS_OF, warehouse)


def test_the_message_counts_what_else_was_rejected(warehouse: Warehouse, folder: Callable[..., Path]) -> None:
    broken = GOOD["demand.csv"].replace(",10\n", ",-10\n").replace(",12\n", ",x\n")
    with pytest.raises(BadInput, match="1 more rejected"):
        import_folder(folder(demand=broken), AS_OF, warehouse)
    assert [(reject.row, reject.value) for reject in warehouse.rejects()] == [(2, "-10"), (3, "x")]


def test_lenient_import_keeps_the_good_rows_and_the_rejects(warehouse: Warehouse, folder: Callable[..., Path]) -> None:
    report = import_folder(folder(items=GOOD["items.csv"] + "C,Cap,-1,USD\n"), AS_OF, warehouse, lenient=True)
    assert set(warehouse.load_dataset().items) == {"A", "B"}
    assert [reject.column for reject in report.rejected] == ["unit_value"]
    assert {source.table: source.rejected for source in warehouse.lineage(str(report.version))}["items"] == 1


def test_rows_that_hang_on_a_rejected_row_are_rejected_with_it(
    warehouse: Warehouse, folder: Callable[..., Path]
) -> None:
    items = GOOD["items.csv"].replace("B,Nut,1.0", "B,Nut,-1.0")
    report = import_folder(folder(items=items), AS_OF, warehouse, lenient=True)
    assert [reject.file for reject in report.rejected] == ["items.csv", "offers.csv", "demand.csv", "stock.csv"]
    assert {offer.item_id for offer in warehouse.load_dataset().offers} == {"A"}


def test_rates_convert_every_price_to_the_base_currency(warehouse: Warehouse, folder: Callable[..., Path]) -> None:
    offers = OFFERS.replace("A,S1,2.0,USD", "A,S1,2.0,EUR")
    import_folder(folder(offers=offers, rates="currency,rate_to_base\nEUR,1.25\nUSD,1\n"), AS_OF, warehouse)
    dataset = warehouse.load_dataset()
    offer = dataset.offers[0]
    assert dataset.currency == "USD"
    assert offer.currency == "USD"
    assert offer.unit_price == pytest.approx(2.5)
    assert offer.unit_price_at(150) == pytest.approx(1.9 * 1.25)


def test_unknown_columns_are_kept_aside_and_named(warehouse: Warehouse, folder: Callable[..., Path]) -> None:
    suppliers = "supplier_id,name,status,Buyer\nS1,Alder,active,kim\nS2,Birch,active,lee\n"
    report = import_folder(folder(suppliers=suppliers), AS_OF, warehouse)
    assert report.unknown_columns == {"suppliers.csv": ("buyer",)}
    assert warehouse.kept_aside(report.import_id, "suppliers.csv") == {2: {"buyer": "kim"}, 3: {"buyer": "lee"}}


def test_what_happened_after_the_clock_is_left_out(warehouse: Warehouse, folder: Callable[..., Path]) -> None:
    report = import_folder(folder(), date(2024, 1, 15), warehouse)
    dataset = warehouse.load_dataset()
    assert dataset.receipts == ()
    assert dataset.demand["A", "MAIN"].quantities.tolist() == [10.0]
    assert any("after 2024-01-15" in warning for warning in report.warnings)


def test_without_a_clock_the_stock_date_is_the_clock(warehouse: Warehouse, folder: Callable[..., Path]) -> None:
    assert import_folder(folder(), None, warehouse).as_of == date(2024, 3, 31)


def test_a_row_without_a_site_is_refused_when_there_are_several(
    warehouse: Warehouse, folder: Callable[..., Path]
) -> None:
    with pytest.raises(BadInput, match="names no site"):
        import_folder(folder(sites="site_id,name\nN,North\nS,South\n"), AS_OF, warehouse)


def test_semicolons_quotes_a_byte_order_mark_and_line_breaks_in_cells_are_read(
    warehouse: Warehouse, folder: Callable[..., Path]
) -> None:
    items = '\ufeffitem_id;description\nA;"Bolt; long\nM8"\nB;Nut\nC;Cap\n'
    receipts = GOOD["receipts.csv"]
    import_folder(folder(items=items, receipts=receipts), AS_OF, warehouse)
    assert warehouse.load_dataset().items["A"].description == "Bolt; long\nM8"
    with pytest.raises(BadInput) as refused:
        import_folder(folder(items=items + "C;Cup\n"), AS_OF, warehouse)
    assert refused.value.context["row"] == 6


def test_a_workbook_beside_the_csv_files_is_named_where_its_table_is_missing(
    warehouse: Warehouse, folder: Callable[..., Path]
) -> None:
    source = folder(items=None)
    (source / "items.xlsx").write_bytes(b"PK\x03\x04")
    with pytest.raises(BadInput, match="items.xlsx is a workbook"):
        import_folder(source, AS_OF, warehouse)


def test_blank_lines_and_rows_of_separators_are_no_rows(warehouse: Warehouse, folder: Callable[..., Path]) -> None:
    blank = GOOD["items.csv"].replace("\n", "\n\n,,,\n") + "\n  \n"
    import_folder(folder(), AS_OF, warehouse)
    import_folder(folder(items=blank), AS_OF, warehouse)
    first, second = warehouse.datasets()
    assert first.content_hash == second.content_hash


def test_header_names_may_differ_in_case_spaces_and_hyphens(warehouse: Warehouse, folder: Callable[..., Path]) -> None:
    import_folder(folder(), AS_OF, warehouse)
    shouted = GOOD["items.csv"].replace("item_id,description,unit_value", " Item ID ,DESCRIPTION,Unit-Value")
    import_folder(folder(items=shouted), AS_OF, warehouse)
    first, second = warehouse.datasets()
    assert first.content_hash == second.content_hash


def test_rows_that_wait_on_a_refused_row_are_counted_apart_and_never_come_first(
    warehouse: Warehouse, folder: Callable[..., Path]
) -> None:
    with pytest.raises(BadInput) as refused:
        import_folder(folder(items=GOOD["items.csv"].replace("A,Bolt,2.0", "A,Bolt,x")), AS_OF, warehouse)
    assert refused.value.context["column"] == "unit_value"
    assert "rows that name it or another refused row wait on that" in refused.value.remedy


def test_orders_placed_after_the_clock_are_left_out_and_a_later_stock_count_is_told(
    warehouse: Warehouse, folder: Callable[..., Path]
) -> None:
    orders = "order_id,item_id,supplier_id,quantity,order_date\nO1,A,S1,5,2024-02-01\nO2,A,S1,5,2024-03-20\n"
    report = import_folder(folder(purchase_orders=orders), date(2024, 2, 15), warehouse)
    assert [order.order_id for order in warehouse.load_dataset().open_orders] == ["O1"]
    assert any("Stock was counted on 2024-03-31, after the clock" in warning for warning in report.warnings)
