"""Put an operations database back into PostgreSQL; what is there steps aside into a schema of its own."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from store.backup.moments import TABLES
from store.migrations import scripts, statements_for

if TYPE_CHECKING:
    import psycopg

BLOCK_BYTES = 1 << 20
FUNCTIONS = (
    "SELECT p.oid::regprocedure::text FROM pg_proc p WHERE p.pronamespace = current_schema()::regnamespace"
    " AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e')"
)

REFERRED_TO = (
    "SELECT DISTINCT c.relname FROM pg_constraint f JOIN pg_class c ON c.oid = f.confrelid"
    " WHERE f.contype = 'f' AND c.relnamespace = current_schema()::regnamespace"
)
"""Tables whose rows others name: they are filled first."""


def load_tables(url: str, folder: Path, aside: str, migrations: Sequence[str], foreign: Sequence[str]) -> None:
    """Make the tables as the backup's migrations made them and fill them, in one transaction.

    `foreign` are the statements of tables that a library makes beside ours. Loading again under the same name aside
    changes nothing.
    """
    from psycopg import sql

    layout = json.loads((folder / "layout.json").read_text(encoding="utf-8"))
    with _connected(url) as connection:
        if _is_there(connection, aside):
            return
        _step_aside(connection, aside)
        for name, statements in scripts("operations"):
            if name in migrations:
                for statement in statements_for(statements, "postgresql"):
                    connection.execute(statement.encode())
        for statement in foreign:
            connection.execute(statement.encode())
        connection.execute("CREATE TABLE IF NOT EXISTS migrations (name TEXT PRIMARY KEY, at TEXT)")
        referred = {str(table) for (table,) in connection.execute(REFERRED_TO)}
        for table, columns in sorted(layout["columns"].items(), key=lambda entry: entry[0] not in referred):
            connection.execute(sql.SQL("DELETE FROM {}").format(sql.Identifier(table)))
            names = sql.SQL(", ").join(map(sql.Identifier, columns))
            query = sql.SQL("COPY {} ({}) FROM STDIN").format(sql.Identifier(table), names)
            with connection.cursor().copy(query) as rows, (folder / f"{table}.copy").open("rb") as stored:
                while block := stored.read(BLOCK_BYTES):
                    rows.write(block)
        for name, last in layout["sequences"].items():
            if last is not None:
                connection.execute("SELECT setval(%s::regclass, %s)", [f'"{name}"', last])


def step_back(url: str, aside: str, back: str) -> None:
    """What stepped aside returns, and what is there steps aside in its place, in one transaction."""
    with _connected(url) as connection:
        if not _is_there(connection, aside):
            _step_aside(connection, aside)
            _move(connection, back, own=True)
            from psycopg import sql

            connection.execute(sql.SQL("DROP SCHEMA {}").format(sql.Identifier(back)))


def step_aside(url: str, aside: str) -> None:
    """Leave an empty schema; what was there stands in one of its own."""
    with _connected(url) as connection:
        if not _is_there(connection, aside):
            _step_aside(connection, aside)


def _connected(url: str) -> "psycopg.Connection[Any]":
    import psycopg

    return psycopg.connect(url, connect_timeout=5)


def _is_there(connection: "psycopg.Connection[Any]", schema: str) -> bool:
    return connection.execute("SELECT 1 FROM pg_namespace WHERE nspname = %s", [schema]).fetchone() is not None


def _step_aside(connection: "psycopg.Connection[Any]", aside: str) -> None:
    from psycopg import sql

    connection.execute(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(aside)))
    _move(connection, aside, own=False)


def _move(connection: "psycopg.Connection[Any]", schema: str, *, own: bool) -> None:
    """Every table, with its sequences and indexes, and every function: into the schema, or from it into ours."""
    from psycopg import sql

    (here,) = connection.execute("SELECT current_schema()").fetchone() or ("public",)
    source, target = (schema, str(here)) if own else (str(here), schema)
    connection.execute(sql.SQL("SET LOCAL search_path TO {}").format(sql.Identifier(source)))
    for (table,) in connection.execute(TABLES).fetchall():
        move = sql.SQL("ALTER TABLE {} SET SCHEMA {}").format(sql.Identifier(str(table)), sql.Identifier(target))
        connection.execute(move)
    for (function,) in connection.execute(FUNCTIONS).fetchall():
        move = sql.SQL("ALTER FUNCTION {} SET SCHEMA {}").format(sql.SQL(function), sql.Identifier(target))
        connection.execute(move)
    connection.execute(sql.SQL("SET LOCAL search_path TO {}").format(sql.Identifier(str(here))))
