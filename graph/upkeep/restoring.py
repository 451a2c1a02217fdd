"""Put a backup back in the place of a home's databases, and go on with a restore that was cut off."""

import shutil
from collections.abc import Callable, Mapping
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from erp.sandbox_home import erp_mark, set_erp_home
from graph.settings import Settings
from store.audit.agreement import AFRESH
from store.audit.belonging import OperationsMark
from store.audit.journal import TransitionDraft, stage_draft
from store.backup import swap as swaps
from store.backup.backup_file import (
    ERP,
    OPERATIONS,
    OPERATIONS_TABLES,
    SECRETS,
    WAREHOUSE,
    BackupUnusable,
    Manifest,
    unpack_backup,
)
from store.backup.postgres_restore import load_tables, step_aside, step_back
from store.backup.swap import Swap
from store.migrations import refuse_newer, scripts
from store.operations import Operations
from store.private import tighten
from store.schema import MIGRATIONS
from store.warehouse import Warehouse
from tools.domain.errors import JitError

RESTORED = "restored"
"""Flag: the last exchange that the journal was told of."""
REPLACED_PREFIX = "replaced-"
SCHEMA_NOTE = "operations.schema"
"""File, in the folder of what was replaced, that names the PostgreSQL schema with its tables."""
FILES = (OPERATIONS, WAREHOUSE, ERP, SECRETS)


def restore(
    settings: Settings, file: Path, actor: str, tell: Callable[[str], None] = lambda _text: None
) -> Mapping[str, object]:
    """Put a backup back, or the folder of what an earlier restore replaced; what is there is kept aside.

    Everything is unpacked and compared with its hash before anything of the home is touched. BackupUnusable for a
    file that is damaged or of another home, WarehouseBusy while another process owns the home.
    """
    with swaps.alone(settings.home, settings.warehouse_path):
        carry_on(settings)
        staged = swaps.staged_folder(settings.home)
        now = datetime.now(UTC)
        name = aside_name(now)
        try:
            tell("Comparing every part with its hash")
            if file.is_dir():
                begun, holds = _from_folder(settings, file, staged, name, actor), {}
            else:
                manifest = unpack_backup(file, staged, lambda told: _must_fit(told, settings, file))
                begun, holds = _from_backup(settings, file, manifest, name, actor), manifest.holds
        except BaseException:  # an interrupt, too: nothing half-done stays
            shutil.rmtree(staged, ignore_errors=True)
            raise
        tell("Exchanging the files")
        swaps.begin(settings.home, begun)
        finish(settings, begun)
    aside = str((settings.home / name).absolute())
    return {"restored": begun.came_from, "made_at": begun.made_at, "kept_aside": aside, **holds}


def carry_on_cut_off(settings: Settings) -> None:
    """Carry a restore that was cut off to its end; a look at one name where there is none."""
    if swaps.begun(settings.home) is not None:
        with swaps.alone(settings.home, settings.warehouse_path):
            carry_on(settings)


def aside_name(now: datetime) -> str:
    """Of the folder that keeps what is replaced."""
    return f"{REPLACED_PREFIX}{now:%Y%m%d-%H%M%S-%f}"[:-3]


def carry_on(settings: Settings) -> None:
    """The same, within a process that is alone."""
    begun = swaps.begun(settings.home)
    if begun is not None:
        finish(settings, begun)


def _from_backup(settings: Settings, file: Path, manifest: Manifest, name: str, actor: str) -> Swap:
    tables = manifest.operations == "postgresql"
    files = tuple(part for part in FILES if part in manifest.parts)
    applied = tuple(manifest.migrations["operations"]) if tables else ()
    source = str(file.absolute())
    return Swap(name, source, actor, manifest.made_at, "restore", files, tables, applied)


def _from_folder(settings: Settings, folder: Path, staged: Path, name: str, actor: str) -> Swap:
    """What an earlier exchange kept aside, copied, so that the folder stays as it is."""
    files = tuple(part for part in FILES if (folder / part).exists())
    tables = (folder / SCHEMA_NOTE).exists()
    if not files and not tables:
        raise BackupUnusable(f"{folder} holds no database of a home.", remedy="Name a file that `jit backup` made.")
    for path in folder.iterdir():
        shutil.copy2(path, staged / path.name)
    swaps.settle_logs(staged)
    return Swap(name, str(folder.absolute()), actor, "", "restore", files, tables)


def _must_fit(manifest: Manifest, settings: Settings, file: Path) -> None:
    """The backup is of this home, or the home is empty; this version knows it, and so does its kind of database."""
    kind = "postgresql" if settings.database_url else "sqlite"
    if manifest.operations != kind:
        raise BackupUnusable(
            f"{file} holds its operations database for {manifest.operations}, and this home keeps it in {kind}.",
            remedy="Set JIT_DATABASE_URL as it was when the backup was made (empty for SQLite).",
        )
    what = "the backup's operations database"
    refuse_newer(manifest.migrations["operations"], [name for name, _ in scripts("operations")], what)
    refuse_newer(manifest.migrations["warehouse"], [name for name, _ in MIGRATIONS], "the backup's warehouse")
    known = _home_ids(settings)
    if known and manifest.home_id not in known:
        raise BackupUnusable(
            f"{file} is a backup of another home ({manifest.home_id}); this one is {' and '.join(sorted(known))}.",
            remedy="Set JIT_HOME to the home that it is of, or to an empty folder.",
        )


def _home_ids(settings: Settings) -> set[str]:
    """The ids that the home's databases give, as far as they can be read."""
    found: set[str] = set()
    try:
        found.add(erp_mark(settings.sandbox_path).home_id)
        file = settings.operations_file
        if file is None or file.exists():
            with closing(Operations(settings.operations_url, migrate=False)) as operations:
                found.add(operations.home_mark().home_id)
    except JitError:
        pass  # a database that cannot be read may be why somebody restores
    return found - {""}


def finish(settings: Settings, begun: Swap) -> None:
    """From wherever it was cut off: tables, files, a row for the journal, and nothing left to do."""
    home = settings.home
    if begun.tables and not settings.operations_file:
        _exchange_tables(settings, begun)
    swaps.exchange_files(home, begun)
    if begun.tables:
        (home / begun.name / SCHEMA_NOTE).write_text(_schema(begun), encoding="utf-8")
    tighten(home)
    if begun.event == AFRESH:
        _begin_afresh(settings, begun)
    note(settings, begun)
    swaps.end(home, begun)


def _begin_afresh(settings: Settings, begun: Swap) -> None:
    """New databases in the places of those that gave way, with the home's id and no counter behind the others'."""
    counted = begun.counters
    mark = OperationsMark(
        handed_over=counted["handed_over"],
        projected=counted["projected"],
        supply=counted["supply"],
        erp_changes=counted["erp_changes"],
    )
    if WAREHOUSE in begun.files:
        with Warehouse(settings.warehouse_path) as warehouse:
            warehouse.set_home(begun.home_id)
    if OPERATIONS in begun.files or begun.tables:
        with closing(Operations(settings.operations_url)) as operations:
            operations.set_home(begun.home_id, founded=True)
            operations.start_counting_at(mark)
    if ERP in begun.files:
        set_erp_home(settings.sandbox_path, begun.home_id, changes=mark.erp_changes, supply=mark.supply)


def _exchange_tables(settings: Settings, begun: Swap) -> None:
    from graph.run.checkpoints import checkpoint_tables

    with closing(Operations(settings.operations_url, migrate=False)) as operations:
        url = operations.checkpointer_url
    staged = settings.home / swaps.STAGED
    if (staged / OPERATIONS_TABLES).is_dir():
        load_tables(url, staged / OPERATIONS_TABLES, _schema(begun), begun.migrations, checkpoint_tables())
    elif (staged / SCHEMA_NOTE).exists():
        step_back(url, _schema(begun), (staged / SCHEMA_NOTE).read_text(encoding="utf-8"))
    else:
        step_aside(url, _schema(begun))


def _schema(begun: Swap) -> str:
    return begun.name.replace("-", "_")


def note(settings: Settings, begun: Swap) -> None:
    """One row of the journal about an exchange, however often it was begun."""
    now = datetime.now(UTC)
    payload = {
        "from": begun.came_from,
        "made_at": begun.made_at,
        "kept_aside": begun.name,
        "reason": begun.reason,
    }
    with closing(Operations(settings.operations_url)) as operations, operations.together():
        if operations.flag(RESTORED) != begun.name:
            operations.set_flag(RESTORED, begun.name)
            draft = TransitionDraft("", "session", begun.event, "ok", now, now, actor=begun.actor, payload=payload)
            stage_draft(operations, draft)
