"""Whether a plan fits into the memory that is free: one that does not would be ended by the system half-way, unsaid."""

from pathlib import Path

from tools.forecasting import ForecastSettings

GROUP = Path("/sys/fs/cgroup")
MEMORY, LIMIT, USED, SHARES = (
    Path("/proc/meminfo"),
    GROUP / "memory.max",
    GROUP / "memory.current",
    GROUP / "memory.stat",
)
CACHES = ("inactive_file", "active_file")
"""What a container counts as used and gives back when somebody asks: pages of files that were read."""
NEVER_TOO_MUCH = 500e6
"""A plan that needs less is begun whatever is free: the figures of a small one are no better than that."""
NUMBER_BYTES = 8
SERIES_KEPT = 9
"""Numbers that a plan holds at its peak for each period of each sample path of an item, measured at 10,000 items."""
GIGA = 1e9


def needed_bytes(items: int, horizon_periods: int) -> float:
    """What planning so many items at once takes at its peak."""
    return float(items) * horizon_periods * ForecastSettings().paths * SERIES_KEPT * NUMBER_BYTES


def free_bytes() -> float | None:
    """Memory that may still be used here: the machine's, or the container's where that is less. None where untold."""
    found = [room for room in (_of_machine(), _of_container()) if room is not None]
    return min(found, default=None)


def _of_machine() -> float | None:
    """From Linux's own account, in kB."""
    if not MEMORY.is_file():
        return None
    rows = (line.split() for line in MEMORY.read_text().splitlines())
    return next((float(row[1]) * 1024 for row in rows if row and row[0] == "MemAvailable:"), None)


def _of_container() -> float | None:
    if not (LIMIT.is_file() and USED.is_file()):
        return None
    limit = LIMIT.read_text().strip()
    if not limit.isdigit():
        return None
    shares = (line.split() for line in (SHARES.read_text().splitlines() if SHARES.is_file() else ()))
    cached = sum(float(row[1]) for row in shares if row and row[0] in CACHES)
    return float(limit) - float(USED.read_text()) + cached


def too_many(items: int, horizon_periods: int) -> str:
    """Why so many items are not planned at once here, and what to do; empty where they fit."""
    needed, free = needed_bytes(items, horizon_periods), free_bytes()
    if free is None or needed <= max(free, NEVER_TOO_MUCH):
        return ""
    return (
        f"Planning {items:,} items at once takes about {needed / GIGA:.1f} GB of memory, and {free / GIGA:.1f} GB are"
        " free here. Plan some of them (`jit plan I001 I002`), or plan on a machine with more memory."
    )
