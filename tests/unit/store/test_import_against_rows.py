"""Random folders with planted faults: the import finds what a plain reading row by row finds, and stores the rest."""

import csv
import io
import re
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from store.ingest import import_folder
from store.ingest.files.plain import lay_out
from store.warehouse import Warehouse

AS_OF = date(2024, 3, 31)
ITEMS = ("A", "A B", 'M8 "x"', "Öl", "C,1", "D;2", "O'Neil", "E\\")
HEADER = ("item_id", "site_id", "date", "quantity", "kind")
QUANTITIES = ("1", "2.5", "0", "1e3", ".5", "7.", "+4", "-1", "1,5", "1_0", "abc", "inf", "1e300", "١٢", "", "0x1f")
DAYS = ("2024-01-05", "20240106", "2024-02-30", "2024-01-07T08:00", "2024-01-07x", "07/01/2024", "0000-01-01", "")
KINDS = ("demand", "Sales", "ORDER", "", "mood")
CELLS = st.tuples(
    st.sampled_from((*ITEMS, "Z", "", "X\nY")),
    st.sampled_from(("N", "S", "Q", "")),
    st.one_of(st.integers(0, 120).map(lambda day: str(date(2024, 1, 1) + timedelta(day))), st.sampled_from(DAYS)),
    st.sampled_from(QUANTITIES),
    st.sampled_from(KINDS),
)
FOREIGN_LINES = st.sampled_from(
    ("", ";;;;", "\t\t\t\t", ",,,,", "  ", "A", '5" pipe', '"A"B,N,2024-01-05,1,', "A,N,2024-01-09,1,")
)
LINES = st.lists(st.one_of(CELLS, CELLS, CELLS, FOREIGN_LINES), max_size=30)
FORMS = st.fixed_dictionaries(
    {
        "delimiter": st.sampled_from((",", ";", "\t")),
        "end": st.sampled_from(("\n", "\r\n")),
        "quoting": st.sampled_from((csv.QUOTE_MINIMAL, csv.QUOTE_ALL)),
        "mark": st.sampled_from(("", "\ufeff")),
        "last": st.booleans(),
    }
)
Refusal = tuple[int, str]
"""(row, column) of the file."""


def text_of(lines: list[object], form: dict[str, object]) -> str:
    stream = io.StringIO(newline="")
    ends = {"delimiter": form["delimiter"], "lineterminator": form["end"], "quoting": form["quoting"]}
    writer = csv.writer(stream, **ends)
    stream.write(str(form["delimiter"]).join(HEADER) + str(form["end"]))
    for line in lines:
        if isinstance(line, str):
            stream.write(line + str(form["end"]))
        else:
            writer.writerow(line)
    text = stream.getvalue()
    return str(form["mark"]) + (text if form["last"] else text.removesuffix(str(form["end"])))


def rows_of(text: str, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """(line where it begins, stripped cells) of what is not blank."""
    reader = csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline=""), delimiter=delimiter)
    next(reader)
    line = reader.line_num + 1
    for cells in reader:
        stripped = [cell.strip() for cell in cells]
        if any(stripped):
            yield line, stripped
        line = reader.line_num + 1


def quantity_of(cell: str) -> float | None:
    if "_" in cell or not re.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)(e\d+)?", cell):
        return None
    value = float(cell)
    return value if 0 <= value <= 1e12 else None


def day_of(cell: str) -> date | None:
    if len(cell) > 10 and cell[10] not in " T":
        return None
    try:
        return date.fromisoformat(cell[:10])
    except ValueError:
        return None


def read_by_rows(text: str, delimiter: str) -> tuple[set[Refusal], dict[tuple[str, str], list[tuple[date, float]]]]:
    """What is refused of a file of demand, and the histories of the rest by the rules of docs/data-schema.md."""
    refused: set[Refusal] = set()
    seen: set[tuple[object, ...]] = set()
    found: dict[tuple[str, str], dict[int, list[tuple[date, float]]]] = {}
    for line, cells in rows_of(text, delimiter):
        if len(cells) != len(HEADER):
            refused.add((line, ""))
            continue
        item, site, day, quantity, kind = cells
        typed = (day_of(day), quantity_of(quantity), kind.lower())
        faults = {"item_id": not item, "date": typed[0] is None, "quantity": typed[1] is None, "site_id": not site}
        faults["kind"] = typed[2] not in ("", "demand", "order", "sales")
        broken = {(line, column) for column, is_broken in faults.items() if is_broken}
        refused |= broken
        key = (item, site, typed[0], typed[2])
        if broken:
            continue
        if key in seen:
            refused.add((line, "item_id"))
        elif item not in ITEMS:
            seen.add(key)
            refused.add((line, "item_id"))
        elif site not in ("N", "S"):
            seen.add(key)
            refused.add((line, "site_id"))
        else:
            seen.add(key)
            if typed[0] <= AS_OF:
                rank = ("demand", "order", "sales").index(typed[2] or "demand")
                found.setdefault((item, site), {}).setdefault(rank, []).append((typed[0], typed[1]))
    return refused, {key: sorted(kinds[min(kinds)]) for key, kinds in found.items()}


def write(folder: Path, demand: str) -> Path:
    folder.mkdir(exist_ok=True)
    quoted = ['"' + item.replace('"', '""') + '"' for item in ITEMS]
    files = {
        "items": "item_id\n" + "\n".join(quoted) + "\n",
        "suppliers": "supplier_id\nS1\n",
        "sites": "site_id\nN\nS\n",
        "offers": "item_id,supplier_id,site_id,unit_price,moq,lead_time_days\nA,S1,N,1,1,9\n",
    }
    for name, text in files.items():
        (folder / f"{name}.csv").write_text(text, encoding="utf-8")
    (folder / "demand.csv").write_bytes(demand.encode())
    return folder


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    with Warehouse(tmp_path_factory.mktemp("rows") / "w.duckdb") as opened:
        yield opened


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(lines=LINES, form=FORMS)
def test_an_import_refuses_and_stores_what_a_reading_row_by_row_does(
    warehouse: Warehouse, tmp_path: Path, lines: list[object], form: dict[str, object]
) -> None:
    text = text_of(lines, form)
    refused, histories = read_by_rows(text, str(form["delimiter"]))
    report = import_folder(write(tmp_path / "folder", text), AS_OF, warehouse, lenient=True)
    assert {(reject.row, reject.column) for reject in report.rejected} == refused
    assert {
        key: list(zip(history.dates.astype(object), history.quantities.tolist(), strict=True))
        for key, history in warehouse.load_dataset(report.version).demand.items()
    } == histories


@pytest.mark.parametrize(
    ("text", "is_plain"),
    [
        ("a,b\n1,2\n3,\n", True),
        ("a,b\r\n1,2\r\n,4", True),
        ("\ufeffa,b\nä,2\n", True),
        ("a,b\n1,2\n,\n", False),
        ("a,b\n1,2\n\n", False),
        ("a,b\n1, 2\n", False),
        ("a,b\n\u00a01,2\n", False),
        ("a,b\n1,2\u2003\n", False),
        ('a,b\n1,"2"\n', False),
        ("a,b\n1,2,3\n4\n", False),
        ("a,b\r1,2\r", False),
        ("a\n1\n", False),
        (f"a,b\n1,{'x' * 131_073}\n", None),
    ],
)
def test_only_a_file_that_needs_no_quotes_and_no_stripping_is_read_where_it_is(
    tmp_path: Path, text: str, is_plain: bool | None
) -> None:
    path = tmp_path / "items.csv"
    path.write_bytes(text.encode())
    if is_plain is None:
        with pytest.raises(csv.Error):
            lay_out(path, tmp_path / "copy")
    else:
        assert (lay_out(path, tmp_path / "copy").copy is None) is is_plain
