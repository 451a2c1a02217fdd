"""Whose home a sandbox ERP's file is of, read and set without opening the ERP."""

import sqlite3
from contextlib import closing
from pathlib import Path

from erp.sandbox_tables import open_file
from store.audit.belonging import ErpMark
from store.faults import faults_named

TITLE = "The sandbox ERP's file"


def erp_mark(path: Path) -> ErpMark:
    """What the file says of its home; blank when there is none, which makes none."""
    if not path.exists():
        return ErpMark()
    with faults_named(TITLE, path, sqlite3.Error), closing(sqlite3.connect(path, timeout=30)) as connection:
        tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        blank = "clock" not in tables or connection.execute("SELECT 1 FROM clock").fetchone() is None
        if "home" not in tables:
            return ErpMark(blank=blank)
        home_id, changes, supply = connection.execute("SELECT id, changes, supply FROM home").fetchone()
    return ErpMark(home_id, blank, changes, supply)


def set_erp_home(path: Path, home_id: str, *, changes: int = 0, supply: int = 0) -> None:
    """Store whose home the file is of, making it where there is none; its counters begin no lower than these."""
    with closing(open_file(path)) as connection, faults_named(TITLE, path, sqlite3.Error):
        connection.execute(
            "UPDATE home SET id = ?, changes = MAX(changes, ?), supply = MAX(supply, ?)", (home_id, changes, supply)
        )
