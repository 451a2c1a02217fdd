"""Seconds and memory of an import at a company's size, beside DuckDB's plain reading of the same files.

A folder of daily demand is written, imported into an empty warehouse and loaded as a dataset, in a process of its own
so that its peak is the import's. The yardstick reads the same files into tables of a DuckDB file, checking nothing.
"""

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from time import perf_counter

import duckdb

from benchmarks.figures import Figure, report

AS_OF = date(2026, 6, 30)
DAYS = 200
"""Of demand, of each item."""
QUICK_ROWS = 520_000
GOALS = {520_000: (5.0, 500.0), 10_000_000: (60.0, 2000.0)}
"""Seconds and MB to reach, by rows of demand."""
CHILD = """
import resource, sys
from datetime import date
from pathlib import Path
from time import perf_counter
from store.ingest import import_folder
from store.warehouse import Warehouse

began = perf_counter()
with Warehouse(Path(sys.argv[2])) as warehouse:
    import_folder(Path(sys.argv[1]), date.fromisoformat(sys.argv[3]), warehouse)
    imported = perf_counter()
    histories = warehouse.load_dataset().demand
    loaded = perf_counter()
rows = sum(history.dates.size for history in histories.values())
print(imported - began, loaded - imported, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, rows)
"""


def write_catalogue(folder: Path, rows: int) -> None:
    """Items with one offer and one stock count each, and days of demand: as CSV files in the canonical schema."""
    items = max(1, rows // DAYS)
    item = "format('IT-{:06d}', i) AS item_id"
    tables = {
        "items": f"SELECT {item}, 'Thing ' || i AS description, 2.5 AS unit_value FROM range({items}) AS t(i)",  # noqa: S608
        "suppliers": "SELECT 'S' || i AS supplier_id FROM range(20) AS t(i)",
        "offers": f"SELECT {item}, 'S' || i % 20 AS supplier_id, 2.5 AS unit_price, 10 AS moq, 14 AS lead_time_days "  # noqa: S608
        f"FROM range({items}) AS t(i)",
        "stock": f"SELECT {item}, i % 100 AS on_hand, DATE '{AS_OF}' AS as_of FROM range({items}) AS t(i)",  # noqa: S608
        "demand": f"SELECT {item}, DATE '{AS_OF}' - d::INTEGER AS date, (i * 7 + d * 13) % 50 AS quantity "  # noqa: S608
        f"FROM range({items}) AS t(i), range({DAYS}) AS u(d) ORDER BY d DESC, i",
    }
    with duckdb.connect() as connection:
        for name, query in tables.items():
            connection.execute(f"COPY ({query}) TO '{folder / name}.csv' (HEADER)")


def plain_seconds(folder: Path, target: Path) -> float:
    """Seconds of DuckDB reading every file into a table, with types as it finds them."""
    began = perf_counter()
    with duckdb.connect(str(target)) as connection:
        for path in sorted(folder.glob("*.csv")):
            connection.execute(f"CREATE TABLE {path.stem} AS FROM read_csv('{path}')")
    return perf_counter() - began


def measure(rows: int, place: Path, turns: int) -> dict[str, Figure]:
    """Import and yardstick in turn, the fastest of each kept: a busy machine slows both."""
    folder = place / "folder"
    folder.mkdir()
    write_catalogue(folder, rows)
    imports: list[list[float]] = []
    plain: list[float] = []
    for turn in range(turns):
        plain.append(plain_seconds(folder, place / f"plain-{turn}.duckdb"))
        command = [sys.executable, "-c", CHILD, str(folder), str(place / f"home-{turn}.duckdb"), AS_OF.isoformat()]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        imports.append([float(figure) for figure in done.stdout.splitlines()[-1].split()])
    return _figures(rows, min(imports), min(plain))


def _figures(rows: int, fastest: Sequence[float], plain: float) -> dict[str, Figure]:
    seconds, loading, peak, read = fastest
    goal = next((GOALS[size] for size in sorted(GOALS) if rows <= size), (0.0, 0.0))
    told = [f"<= {limit:g}" if limit else "told" for limit in goal]
    beside = f"DuckDB's plain reading of the same files: {plain:.2f} s"
    return {
        "seconds": Figure(seconds, "s", told[0], beside),
        "peak_mb": Figure(peak, "MB", told[1], "with the dataset loaded"),
        "ratio_to_plain_reading": Figure(seconds / plain, "times", "", beside),
        "load_seconds": Figure(loading, "s", "", "from the warehouse to arrays by item and site"),
        "rows": Figure(read, "rows", f"= {rows // DAYS * DAYS}", "of demand, in the dataset"),
    }


def main(arguments: Sequence[str] | None = None) -> str:
    """Write, import, compare and report."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--quick", action="store_true")
    asked = parser.parse_args(arguments)
    rows, turns = (QUICK_ROWS, 1) if asked.quick else (asked.rows, 2)
    with tempfile.TemporaryDirectory() as place:
        return report("import", measure(rows, Path(place), turns))


if __name__ == "__main__":
    print(main())
