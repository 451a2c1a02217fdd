"""A plan that would not fit into the memory that is free is not begun, and says what to do."""

from pathlib import Path

import pytest
from gate_cases import Shelf, context_of, runtime_of, state_of

from graph.run import free_memory
from graph.run.gates import gate_data

MEMINFO = "MemTotal:       24684512 kB\nMemFree:          512000 kB\nMemAvailable:   2000000 kB\n"


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine with 2,000,000 kB free, in no container."""
    for name in ("MEMORY", "LIMIT", "USED", "SHARES"):
        monkeypatch.setattr(free_memory, name, tmp_path / name)
    (tmp_path / "MEMORY").write_text(MEMINFO)
    return tmp_path


def test_what_is_free_is_the_machines_or_less_where_a_container_is_smaller(machine: Path) -> None:
    assert free_memory.free_bytes() == 2_000_000 * 1024
    (machine / "LIMIT").write_text("max\n")
    (machine / "USED").write_text("500000000\n")
    assert free_memory.free_bytes() == 2_000_000 * 1024
    (machine / "LIMIT").write_text("900000000\n")
    assert free_memory.free_bytes() == 400_000_000
    (machine / "SHARES").write_text("anon 1\ninactive_file 100000000\nactive_file 50000000\n")
    assert free_memory.free_bytes() == 550_000_000, "files that were read give their memory back"
    (machine / "SHARES").unlink()
    (machine / "MEMORY").unlink()
    assert free_memory.free_bytes() == 400_000_000
    (machine / "LIMIT").unlink()
    assert free_memory.free_bytes() is None


def test_a_plan_that_does_not_fit_is_stopped_before_anything_is_computed(machine: Path) -> None:
    per_item = free_memory.needed_bytes(1, 26)
    assert 400_000 < per_item < 600_000
    most = int(2_000_000 * 1024 / per_item)
    assert free_memory.too_many(most, 26) == ""
    told = free_memory.too_many(most + 1, 26)
    assert told.startswith(
        f"Planning {most + 1:,} items at once takes about 2.0 GB of memory, and 2.0 GB are free here."
    )
    assert "jit plan I001 I002" in told
    (machine / "MEMORY").unlink()
    assert free_memory.too_many(10**9, 26) == ""


def test_a_run_over_too_many_items_stops_and_says_so(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (machine / "MEMORY").write_text("MemAvailable: 700 kB\n")
    context = context_of(shelf=Shelf((10, 0)))
    assert gate_data(state_of(), runtime_of(context))["stopped"] == "", "a small plan is begun whatever is free"
    monkeypatch.setattr(free_memory, "NEVER_TOO_MUCH", 0.0)
    both = gate_data(state_of(), runtime_of(context))["stopped"]
    assert both.startswith("Planning 2 items at once")
    assert gate_data(state_of(item_ids=["A"]), runtime_of(context))["stopped"] == ""
