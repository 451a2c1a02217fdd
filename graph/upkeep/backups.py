"""One consistent copy of every database of a home, made while people and alerts work."""

import shutil
import threading
from collections.abc import Callable, Mapping
from contextlib import ExitStack, closing
from datetime import UTC, datetime
from importlib.metadata import version as installed_version
from pathlib import Path

from graph.contracts import silent
from graph.parts import Parts
from store.audit.journal import TransitionDraft
from store.backup.backup_file import (
    ERP,
    OPERATIONS,
    OPERATIONS_TABLES,
    SECRETS,
    WAREHOUSE,
    Manifest,
    must_be_free,
    write_backup,
)
from store.backup.moments import Moment, PostgresMoment, SqliteMoment, WarehouseMoment
from store.private import private_folder
from tools.domain.errors import Conflict


class Backups:
    """Makes backups of the home whose databases these are; one at a time."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._busy = threading.Lock()

    def make(self, file: str, actor: str, tell: Callable[[str], None] = silent) -> Mapping[str, object]:
        """Write one file that holds the home as it is at one moment; tells where it is and what it holds.

        BadInput when the file is there already or its folder is not. `tell` hears what is being done.
        """
        now = datetime.now(UTC)
        target = Path(file) if file else self._usual(now)
        must_be_free(target)
        if not self._busy.acquire(blocking=False):
            raise Conflict("Another backup of this home is being made.", remedy="Wait for it.")
        folder = target.with_name(f".{target.name}.parts")
        try:
            shutil.rmtree(folder, ignore_errors=True)
            private_folder(folder)
            tell("Waiting for the moment")
            manifest = self._copied(folder, now, tell)
            made = write_backup(target, folder, manifest, tell)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
            target.with_name(f"{target.name}.part").unlink(missing_ok=True)
            self._busy.release()
        told = {"file": str(target.absolute()), "bytes": target.stat().st_size, "home": made.home_id}
        self._note(actor, now, {**told, **made.holds})
        return {**told, "made_at": made.made_at, **made.holds}

    def _usual(self, now: datetime) -> Path:
        folder = self._parts.settings.home / "backups"
        private_folder(folder)
        return folder / f"jit-{now:%Y%m%d-%H%M%S}.tar.gz"

    def _copied(self, folder: Path, now: datetime, tell: Callable[[str], None]) -> Manifest:
        """Begin to read every database while nobody writes, then copy while everybody goes on."""
        with ExitStack() as reading:
            moments, manifest = self._begun(now, reading)
            secret = self._parts.settings.home / SECRETS
            if secret.exists():
                shutil.copyfile(secret, folder / SECRETS)
            for name, moment in moments.items():
                tell(f"Copying {name}")
                moment.write_into(folder)
        return manifest

    def _begun(self, now: datetime, reading: ExitStack) -> tuple[Mapping[str, Moment], Manifest]:
        """The locks are taken in the order in which work takes them: journal, operations, warehouse, ERP."""
        parts = self._parts
        operations, warehouse, erp = parts.operations, parts.warehouse, parts.erp
        migrations = {"operations": operations.applied(), "warehouse": warehouse.applied()}
        moments = self._connected()
        for moment in moments.values():
            reading.enter_context(closing(moment))
        with parts.journal.still(), operations.gate.shut(), warehouse.still(), erp.still():
            for moment in moments.values():
                moment.begin()
            mark, head = operations.home_mark(), warehouse.journal_head()
            manifest = Manifest(
                home_id=mark.home_id,
                made_at=now.isoformat(timespec="seconds"),
                program=installed_version("jit-sourcing"),
                operations="sqlite" if operations.is_sqlite else "postgresql",
                migrations=migrations,
                counters={
                    "supply": mark.supply,
                    "journal_rows": head.seq,
                    "journal_handed_over": mark.handed_over,
                    "erp_changes": erp.changes,
                },
                holds=operations.held(),
            )
        return moments, manifest

    def _connected(self) -> Mapping[str, Moment]:
        """A reader of each database."""
        operations = self._parts.operations
        first: Moment
        if operations.is_sqlite:
            first = SqliteMoment(Path(operations.checkpointer_url), OPERATIONS)
        else:
            first = PostgresMoment(operations.checkpointer_url, OPERATIONS_TABLES)
        return {
            "the operations database": first,
            "the warehouse": WarehouseMoment(self._parts.warehouse, WAREHOUSE),
            "the sandbox ERP": SqliteMoment(self._parts.settings.sandbox_path, ERP),
        }

    def _note(self, actor: str, now: datetime, payload: Mapping[str, object]) -> None:
        self._parts.journal.record(
            TransitionDraft("", "session", "backup", "ok", now, datetime.now(UTC), actor=actor, payload=payload)
        )
