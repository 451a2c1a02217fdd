"""A home is for its owner only, whatever umask made it, and a folder of somebody else is left alone."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from demo_home import settings_of

from graph.session import open_session
from store.private import open_to_others, tighten


@pytest.fixture
def careless() -> Iterator[None]:
    """A umask that keeps nothing from anybody."""
    before = os.umask(0)
    yield
    os.umask(before)


def modes(home: Path) -> dict[str, str]:
    found = [home, *home.rglob("*")]
    return {path.name: oct(stat.S_IMODE(path.stat().st_mode)) for path in found}


@pytest.mark.usefixtures("careless")
def test_a_new_home_with_its_databases_and_their_logs_is_for_the_owner_only(tmp_path: Path) -> None:
    home = tmp_path / "home"
    session = open_session(settings_of(home))
    session.halt("zoe")
    found = modes(home)
    session.close()
    assert found.pop("home") == "0o700"
    assert {"operations.sqlite-wal", "operations.sqlite-shm", "sandbox_erp.sqlite", "warehouse.duckdb"} <= set(found)
    assert set(found.values()) == {"0o600"}
    assert set(modes(home).values()) == {"0o700", "0o600"}


@pytest.mark.usefixtures("careless")
def test_a_home_of_an_earlier_version_is_closed_when_it_is_opened(tmp_path: Path) -> None:
    home = tmp_path / "home"
    (home / "exports").mkdir(parents=True)
    for name in ("operations.sqlite", "warehouse.duckdb.wal", "exports/eval.html"):
        (home / name).write_text("")
    assert [path.name for path in open_to_others(home)][0] == "home"
    tighten(home)
    assert open_to_others(home) == []
    assert set(modes(home).values()) == {"0o700", "0o600"}


@pytest.mark.usefixtures("careless")
def test_a_folder_that_holds_other_things_too_stays_passable(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir(mode=0o755)
    (home / "letters").mkdir(mode=0o755)
    (home / "operations.sqlite").write_text("")
    (home / "exports").symlink_to(home / "letters")
    tighten(home)
    assert modes(home) == {"home": "0o755", "letters": "0o755", "operations.sqlite": "0o600", "exports": "0o755"}
    assert open_to_others(home) == []


def test_the_doctor_names_what_others_may_read(tmp_path: Path) -> None:
    session = open_session(settings_of(tmp_path / "home"))
    (tmp_path / "home" / "operations.sqlite").chmod(0o644)
    found = next(part for part in session.diagnose() if part.part == "home")
    (tmp_path / "home" / "operations.sqlite").chmod(0o600)
    again = next(part for part in session.diagnose() if part.part == "home")
    session.close()
    assert (found.ok, again.ok) == (False, True)
    assert "operations.sqlite" in found.detail
    assert "chmod" in found.detail
