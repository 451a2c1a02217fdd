"""Whether every part of an installation answers: databases, journal, ERP, model and clock."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from erp.sandbox_home import erp_mark
from graph.incoming.unexplained import told_of
from graph.parts import Parts
from graph.views.installation import PartView
from store.audit.belonging import must_belong
from store.background import BackgroundWork
from store.faults import space_left
from store.private import open_to_others
from tools.domain.errors import JitError

LARGEST_LAG_SECONDS = 5.0
LEAST_FREE_BYTES = 64 << 20
"""With less space left on the disk of the home, a few runs fill it."""
CLOCK_TOLERANCE = timedelta(minutes=5)


def diagnose(parts: Parts, alerts: BackgroundWork, catch_up: BackgroundWork, owed_runs: int) -> list[PartView]:
    """One view a part; a part that fails says why, work in the background among them."""
    checks: dict[str, Callable[[Parts], tuple[bool, str]]] = {
        "home": _home,
        "databases of the home": _belonging,
        "operations database": _operations,
        "warehouse": _warehouse,
        "disk": _disk,
        "journal": _journal,
        "alerts": lambda parts: _alerts(parts, alerts),
        "catch-up": lambda parts: _catch_up(parts, catch_up, owed_runs),
        "size of the operations database": _operations_size,
        "size of the warehouse": _warehouse_size,
        "erp": _erp,
        "orders in the ERP": _unexplained,
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


def _home(parts: Parts) -> tuple[bool, str]:
    """Whoever can read the home may act under any name."""
    home = parts.settings.home
    exposed = open_to_others(home)
    if not exposed:
        return True, f"{home.absolute()}, its files are for their owner only"
    names = ", ".join(path.name for path in exposed[:5])
    return False, f"open to other users of this machine: {names}; run `chmod -R go= {home.absolute()}`"


def _belonging(parts: Parts) -> tuple[bool, str]:
    """The home's id, and whether every database is of it and of one time; compared while none of them moves."""
    with parts.journal.still(), parts.erp.still():
        mark = parts.operations.home_mark()
        must_belong(mark, parts.warehouse.home_mark(), erp_mark(parts.settings.sandbox_path))
    return True, f"{mark.home_id}: operations, warehouse and sandbox ERP belong together"


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
    told = f"{lag.rows} rows wait, the oldest for {lag.seconds:.1f} s"
    ok, told = _working(parts.journal.projector, told)
    return ok and lag.seconds < LARGEST_LAG_SECONDS, told


def _disk(parts: Parts) -> tuple[bool, str]:
    free = space_left(parts.settings.home)
    return free >= LEAST_FREE_BYTES, f"{free / (1 << 20):,.0f} MiB free where {parts.settings.home} lies"


def _alerts(parts: Parts, worker: BackgroundWork) -> tuple[bool, str]:
    waiting, oldest = parts.operations.inbox_waiting()
    since = f", the oldest since {oldest:%Y-%m-%d %H:%M:%S} UTC" if oldest else ""
    return _working(worker, f"{waiting} wait to be planned{since}")


def _catch_up(parts: Parts, worker: BackgroundWork, owed_runs: int) -> tuple[bool, str]:
    overdue = parts.operations.overdue_actions()
    return _working(worker, f"{owed_runs} runs were held up, {overdue} ERP actions are overdue")


def _working(worker: BackgroundWork, told: str) -> tuple[bool, str]:
    """Whether work in the background goes on; else what keeps it from that, and since when."""
    if worker.trouble is not None:
        return False, f"{told}; held up since {worker.trouble.since:%H:%M:%S} UTC: {worker.trouble.reason}"
    return worker.alive, told if worker.alive else f"{told}; its thread does not run"


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


def _unexplained(parts: Parts) -> tuple[bool, str]:
    """What the ERP held at the last reading that this program did not send; a person has to look, no part is down."""
    told = told_of(parts.operations, list(parts.erp.iter_open_orders()))
    return True, " ".join(told) or "each is one that was sent from here, or was made there"


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
