"""Points of time come out of the warehouse in UTC, with no module that the program does not declare."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]
EVERY_TIME = """
import sys
sys.modules["pytz"] = None  # DuckDB imports it to hand over a TIMESTAMPTZ; a run-time installation has none
from datetime import UTC, date, datetime
from pathlib import Path
from store.estimates import EstimateKind, EstimateOrigin, EstimateRow
from store.warehouse import SourceFile, Warehouse

when = datetime(2024, 4, 1, 12, 30, 0, 5, tzinfo=UTC)
with Warehouse(Path(sys.argv[1])) as warehouse:
    files = [SourceFile("a.csv", "items", "ab", 2, 0, when)]
    with warehouse.staging() as staged:
        version = warehouse.import_tables(staged, files, date(2024, 3, 31), "USD")
    warehouse.put_kpis(None, version, {"fill_rate": 0.9}, when)
    row = EstimateRow.of(EstimateKind.DEMAND, "A", "MAIN", "A@MAIN", {}, b"paths")
    warehouse.store_estimates(EstimateOrigin(version, "demand 2", {}, 7, "0.1.0"), [row])
    made = [warehouse.datasets()[0].created_at, warehouse.estimates()[0].created_at]
    assert all(abs(datetime.now(UTC) - at).total_seconds() < 600 for at in made), made
    assert warehouse.lineage(version)[0].imported_at == when
    assert warehouse.kpi_history("fill_rate") == [(when, 0.9)]
    assert all(at.tzinfo is UTC for at in (*made, warehouse.lineage(version)[0].imported_at))
print("read")
"""


def test_every_time_that_the_warehouse_keeps_is_read_in_utc_without_an_undeclared_module(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", EVERY_TIME, str(tmp_path / "w.duckdb")],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.stdout, done.stderr) == ("read\n", "")
