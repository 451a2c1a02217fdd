"""Whether every part of an installation answers: databases, journal, ERP, model and clock."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from graph.parts import Parts
from graph.views import PartView
from tools.domain.errors import JitError

LARGEST_LAG_SECONDS = 5.0
CLOCK_TOLERANCE = timedelta(minutes=5)


def diagnose(parts: Parts) -> list[PartView]:
    """One view a part; a part that fails says why."""
    checks: dict[str, Callable[[Parts], tuple[bool, str]]] = {
        "operations database": _operations,
        "warehouse": _warehouse,
        "journal": _journal,
        "size of the operations database": _operations_size,
        "size of the warehouse": _warehouse_size,
        "erp": _erp,
        "model": _model,
        "clock": _clock,
    }
    return [_view(name, check, parts) for name, check in checks.items()]


def _view(name: str, check: Callable[[Parts], tuple[bool, str]], parts: Parts) -> PartView:
    try:
        ok, detail = check(parts)
    except JitError as error:
        ok, detail = False, str(error)
    return PartView(part=name, ok=ok, detail=detail)


def _operations(parts: Parts) -> tuple[bool, str]:
    asked = datetime.now(UTC).isoformat()
    parts.operations.set_flag("doctor", asked)
    kind = "SQLite" if parts.operations.is_sqlite else "PostgreSQL"
    return parts.operations.flag("doctor") == asked, f"{kind} stores and returns"


def _warehouse(parts: Parts) -> tuple[bool, str]:
    versions = parts.warehouse.datasets()
    active = parts.warehouse.active_version()
    return True, f"{len(versions)} dataset versions, active: {active or 'none yet, run `jit import FOLDER`'}"


def _journal(parts: Parts) -> tuple[bool, str]:
    lag = parts.journal.lag()
    return lag.seconds < LARGEST_LAG_SECONDS, f"{lag.rows} rows wait, the oldest for {lag.seconds:.1f} s"


def _operations_size(parts: Parts) -> tuple[bool, str]:
    size = parts.operations.size()
    going_on = f"of runs that wait or go on ({size.runs_with_checkpoints})"
    filled = f"{_megabytes(size.checkpoints)} checkpoints {going_on}, {_megabytes(size.free)} free"
    each = f"; a closed run keeps {size.kept / size.closed_runs / 1e3:,.0f} kB" if size.closed_runs else ""
    return True, f"{_megabytes(size.total)}: {filled}{each}"


def _warehouse_size(parts: Parts) -> tuple[bool, str]:
    size = parts.warehouse.size()
    filled = f"{_megabytes(size.artifacts)} artifacts, {_megabytes(size.journal)} journal, {_megabytes(size.free)} free"
    each = f"; a run adds {(size.artifacts + size.journal) / size.runs / 1e3:,.0f} kB" if size.runs else ""
    return True, f"{_megabytes(size.total)}: {filled}{each}"


def _megabytes(count: int) -> str:
    return f"{count / 1e6:,.1f} MB"


def _erp(parts: Parts) -> tuple[bool, str]:
    health = parts.erp.health()
    return bool(health["ok"]), f"sandbox, clock {health['clock']}, {health['orders']} orders"


def _model(parts: Parts) -> tuple[bool, str]:
    check = parts.context.agents.check
    if check is None:
        return True, "none configured: the rules decide"
    problem = check()
    return not problem, problem or f"{parts.settings.llm_model} answers"


def _clock(parts: Parts) -> tuple[bool, str]:
    """A clock that runs behind what is already stored would put new rows before old ones."""
    now = datetime.now(UTC)
    stored = [known.created_at for known in parts.warehouse.datasets()]
    stored += [run.created_at for run in parts.operations.runs(1)]
    ahead = [moment for moment in stored if moment > now + CLOCK_TOLERANCE]
    detail = f"{now:%Y-%m-%d %H:%M:%S} UTC"
    return not ahead, f"{detail}, but something is stored as of {max(ahead):%Y-%m-%d %H:%M}" if ahead else detail
