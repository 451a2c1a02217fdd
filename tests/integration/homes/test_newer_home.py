"""A home that a newer version made is left as it is, and one line says what to do."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import duckdb
import pytest
from demo_home import settings_of
from jit_command import Jit
from postgres_cluster import postgres_cluster
from sqlalchemy import create_engine, text

from graph.session import open_session
from store.migrations import NewerHome
from store.operations import Operations
from store.warehouse import Warehouse


def _home(folder: Path) -> Path:
    Operations(f"sqlite:///{folder}/operations.sqlite").close()
    Warehouse(folder / "warehouse.duckdb").close()
    return folder


def _newer_operations(home: Path) -> None:
    with closing(sqlite3.connect(home / "operations.sqlite")) as raw, raw:
        raw.execute("INSERT INTO migrations (name, at) VALUES ('0999_later', '')")


def _newer_warehouse(home: Path) -> None:
    with duckdb.connect(str(home / "warehouse.duckdb")) as connection:
        connection.execute("INSERT INTO migrations VALUES ('0999_later')")


def _contents(home: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in home.iterdir() if not path.name.endswith(("-wal", "-shm"))}


@pytest.mark.parametrize("made_newer", [_newer_operations, _newer_warehouse])
def test_a_newer_home_is_refused_in_one_line_and_untouched(tmp_path: Path, made_newer: Callable[[Path], None]) -> None:
    home = _home(tmp_path)
    made_newer(home)
    before = _contents(home)
    done = Jit(home)("runs")
    assert done.returncode == 3
    assert "JIT-405: A newer version of the program made this home" in done.stderr
    assert "Install that version again" in done.stderr
    assert "Traceback" not in done.stderr and len(done.stderr.splitlines()) <= 2
    assert _contents(home) == before


@pytest.mark.parametrize("older", ["operations", "warehouse"])
def test_the_older_of_two_databases_is_not_migrated_beside_a_newer_one(tmp_path: Path, older: str) -> None:
    home = _home(tmp_path)
    if older == "operations":
        _newer_warehouse(home)
        with closing(sqlite3.connect(home / "operations.sqlite")) as raw, raw:
            raw.execute("DELETE FROM migrations WHERE name = '0002_counted_heads'")
            raw.execute("ALTER TABLE journal_heads DROP COLUMN row_count")
    else:
        _newer_operations(home)
        with duckdb.connect(str(home / "warehouse.duckdb")) as connection:
            connection.execute("DELETE FROM migrations WHERE name = '0004_limits'")
    before = _contents(home)
    with pytest.raises(NewerHome):
        open_session(settings_of(home))
    assert _contents(home) == before


def test_a_newer_postgres_database_is_refused_and_untouched(tmp_path: Path) -> None:
    with postgres_cluster() as url:
        Operations(url).close()
        engine = create_engine(url.replace("postgresql://", "postgresql+psycopg://"))
        with engine.begin() as connection:
            connection.execute(text("INSERT INTO migrations (name, at) VALUES ('0999_later', '')"))
            connection.execute(text("DELETE FROM migrations WHERE name = '0002_counted_heads'"))
            before = connection.execute(text("SELECT name FROM migrations ORDER BY name")).scalars().all()
        with pytest.raises(NewerHome, match="0999_later"):
            open_session(settings_of(tmp_path, database_url=url))
        with engine.connect() as connection:
            assert connection.execute(text("SELECT name FROM migrations ORDER BY name")).scalars().all() == before
        engine.dispose()
    assert not (tmp_path / "warehouse.duckdb").exists()


def test_a_home_of_an_earlier_version_is_brought_up_to_date(tmp_path: Path) -> None:
    home = _home(tmp_path)
    with closing(sqlite3.connect(home / "operations.sqlite")) as raw, raw:
        raw.execute("DELETE FROM migrations WHERE name = '0002_counted_heads'")
        raw.execute("ALTER TABLE journal_heads DROP COLUMN row_count")
        raw.execute("INSERT INTO journal_heads (seq, hash, recorded_at) VALUES (0, 'x', '')")
    with closing(Operations(f"sqlite:///{home}/operations.sqlite")) as operations:
        assert [(head.seq, head.rows) for head in operations.journal_heads()] == [(0, None)]


def test_a_warehouse_file_of_a_newer_duckdb_says_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: str) -> None:
        raise duckdb.IOException("Trying to read a database file with storage version number 9999, but we can only ...")

    monkeypatch.setattr(duckdb, "connect", refuse)
    with pytest.raises(NewerHome, match="cannot read the format"):
        Warehouse(tmp_path / "warehouse.duckdb")
