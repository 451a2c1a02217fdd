"""A home whose databases are not of one home and one time is refused with what to do, and never refilled in silence."""

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from demo_home import demo_home, on_postgres, plan_trigger, settings_of, without_an_id
from postgres_cluster import postgres_cluster
from sqlalchemy import create_engine, text

from erp.sandbox_home import erp_mark
from graph.reading.reading import open_readings
from graph.session import LocalSession, open_session
from graph.settings import Settings
from graph.stores import open_operations
from graph.upkeep.starting_afresh import start_afresh
from graph.views.runs import Trigger
from store.audit.belonging import DatabaseForeign, DatabaseMissing, DatabaseOlder, Part
from tools.domain.errors import BadInput, Conflict, JitError, OutOfReach
from tools.domain.orders import OrderStatus

FILES = {
    Part.OPERATIONS: "operations.sqlite",
    Part.WAREHOUSE: "warehouse.duckdb",
    Part.SANDBOX_ERP: "sandbox_erp.sqlite",
}


@pytest.fixture(scope="module")
def worked(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, Path]:
    """A home in the morning, the same in the evening, after an approval and a reading of the ERP, and another home."""
    root = tmp_path_factory.mktemp("worked")
    morning = demo_home(root, planned=True)
    evening = Path(shutil.copytree(morning, root / "evening"))
    with closing(open_session(settings_of(evening))) as session:
        session.decide(session.pending()[0].approval_id, "approve", "bob")
        session.observe(3)
    with closing(open_session(settings_of(root / "other"))):
        pass
    return morning, evening, root / "other"


@pytest.fixture
def home(worked: tuple[Path, Path, Path], tmp_path: Path) -> Path:
    return Path(shutil.copytree(worked[1], tmp_path / "kept"))


def _exchange(home: Path, name: str, source: Path | None) -> None:
    for path in home.glob(f"{name}*"):
        path.unlink()
    if source is not None:
        shutil.copy(source / name, home / name)


def _files(home: Path) -> dict[str, bytes]:
    """The databases without the logs beside them, which looking may make."""
    return {name: (home / name).read_bytes() for name in FILES.values() if (home / name).exists()}


def _is_refused(settings: Settings, kind: type[JitError], part: Part) -> None:
    before = _files(settings.home)
    for opening in (open_session, open_readings):
        with pytest.raises(kind, match=f"jit restore FILE.*start-afresh {part.value}"):
            opening(settings)
    after = _files(settings.home)
    assert before.keys() == after.keys()
    assert all(before[name] == after[name] for name in before if name != "warehouse.duckdb")


def _needs_again(home: Path) -> Trigger:
    """A plan of the items whose orders stand in the ERP."""
    return plan_trigger(*sorted({item_id for item_id, _ in _in_erp(home)}))


def _in_erp(home: Path) -> list[tuple[str, float]]:
    query = "SELECT item_id, quantity FROM lines JOIN orders USING (erp_ref) WHERE idempotency_key NOT LIKE 'before:%'"
    with closing(sqlite3.connect(home / "sandbox_erp.sqlite")) as raw:
        return raw.execute(f"{query} ORDER BY 1, 2").fetchall()


@pytest.mark.parametrize("part", list(Part))
def test_a_database_that_is_gone_is_never_made_anew_in_silence(home: Path, part: Part) -> None:
    _exchange(home, FILES[part], None)
    _is_refused(settings_of(home), DatabaseMissing, part)


@pytest.mark.parametrize("part", list(Part))
def test_a_database_of_the_morning_is_refused_beside_those_of_the_evening(
    worked: tuple[Path, Path, Path], home: Path, part: Part
) -> None:
    _exchange(home, FILES[part], worked[0])
    _is_refused(settings_of(home), DatabaseOlder, part)


@pytest.mark.parametrize("part", list(Part))
def test_a_database_of_another_home_is_refused(worked: tuple[Path, Path, Path], home: Path, part: Part) -> None:
    _exchange(home, FILES[part], worked[2])
    _is_refused(settings_of(home), DatabaseForeign, part)


def test_operations_and_warehouse_of_the_morning_are_refused_beside_the_erp_of_the_evening(
    worked: tuple[Path, Path, Path], home: Path
) -> None:
    _exchange(home, FILES[Part.OPERATIONS], worked[0])
    _exchange(home, FILES[Part.WAREHOUSE], worked[0])
    _is_refused(settings_of(home), DatabaseOlder, Part.OPERATIONS)


def test_a_user_and_a_link_are_not_made_in_a_new_database_where_the_home_has_lost_its_own(home: Path) -> None:
    _exchange(home, "operations.sqlite", None)
    with pytest.raises(DatabaseMissing):
        open_operations(settings_of(home))
    assert not (home / "operations.sqlite").exists()


def test_a_home_from_before_there_was_an_id_gets_one_and_then_refuses_a_part_without_it(
    worked: tuple[Path, Path, Path], home: Path
) -> None:
    without_an_id(home)
    with closing(sqlite3.connect(home / "operations.sqlite")) as raw, raw:
        raw.execute("DROP TABLE home")
        raw.execute("DELETE FROM counters WHERE name IN ('handed_over', 'projected', 'erp_changes', 'erp_read')")
        raw.execute("DELETE FROM migrations WHERE name = '0004_home'")
    old = Path(shutil.copytree(home, home.with_name("old")))
    with closing(open_session(settings_of(home))) as session:
        assert session._parts.operations.home_mark().founded
        assert session.verify_journal().ok
    for part in Part:
        mixed = Path(shutil.copytree(home, home.with_name(f"mixed-{part.value}")))
        _exchange(mixed, FILES[part], old)
        with pytest.raises(DatabaseOlder, match="before this home had an id"):
            open_session(settings_of(mixed))
        shutil.rmtree(mixed)


def test_a_founding_that_was_cut_off_is_carried_on(home: Path) -> None:
    without_an_id(home)
    with closing(sqlite3.connect(home / "operations.sqlite")) as raw, raw:
        raw.execute("UPDATE counters SET value = 0 WHERE name IN ('handed_over', 'projected', 'erp_changes')")
        raw.execute("UPDATE home SET founded = 0")
        ((home_id,),) = raw.execute("SELECT id FROM home").fetchall()
    with closing(open_session(settings_of(home))) as session:
        assert session._parts.operations.home_mark().founded
        assert session._parts.warehouse.home_mark().home_id == home_id
    assert erp_mark(home / "sandbox_erp.sqlite").home_id == home_id


def test_operations_begun_afresh_order_nothing_again_that_stands_in_the_erp(home: Path) -> None:
    """A home that goes on orders the same at its next plan as one that lost its ledger."""
    going_on = Path(shutil.copytree(home, home.with_name("going-on")))
    with closing(open_session(settings_of(going_on))) as session:
        session.start(_needs_again(going_on))
    standing = _in_erp(home)
    _exchange(home, "operations.sqlite", None)
    told = start_afresh(settings_of(home), Part.OPERATIONS, "ana", "the disk was lost")
    assert Path(str(told["kept_aside"])).is_dir()
    with closing(open_session(settings_of(home))) as session:
        session.start(_needs_again(home))
        assert session.verify_journal().ok, session.verify_journal().reason
        (row,) = [row for row in session.journal() if row.event == "start_afresh"]
        assert (row.actor, row.payload["reason"]) == ("ana", "the disk was lost")
    assert len(standing) > 0
    assert _in_erp(home) == _in_erp(going_on)


def test_a_sandbox_erp_begun_afresh_has_the_dataset_again_and_our_lost_orders_count_as_cancelled(home: Path) -> None:
    planning = _needs_again(home)
    _exchange(home, "sandbox_erp.sqlite", None)
    start_afresh(settings_of(home), Part.SANDBOX_ERP, "ana", "it was deleted")
    with closing(open_session(settings_of(home))) as session:
        operations = session._parts.operations
        assert operations.orders_in([OrderStatus.PLACED, OrderStatus.CONFIRMED]) == []
        assert len(operations.orders_in([OrderStatus.CANCELLED])) > 0
        assert _in_erp(home) == []
        session.start(planning)
    with closing(open_session(settings_of(home))) as session:
        assert session.verify_journal().ok


def test_a_warehouse_begun_afresh_begins_operations_anew_and_waits_for_an_import(home: Path) -> None:
    _exchange(home, "warehouse.duckdb", None)
    start_afresh(settings_of(home), Part.WAREHOUSE, "ana", "it was deleted")
    with closing(open_session(settings_of(home))) as session:
        assert (session.runs(), session.datasets()) == ([], [])
        assert session.verify_journal().ok


def test_nothing_is_begun_afresh_without_a_reason_or_beside_two_homes(
    worked: tuple[Path, Path, Path], home: Path
) -> None:
    with pytest.raises(BadInput, match="for a reason only"):
        start_afresh(settings_of(home), Part.OPERATIONS, "ana", " ")
    _exchange(home, "warehouse.duckdb", worked[2])
    with pytest.raises(Conflict, match="different homes"):
        start_afresh(settings_of(home), Part.OPERATIONS, "ana", "mixed up")


@pytest.fixture
def database() -> Iterator[str]:
    """An empty database of its own."""
    with postgres_cluster() as url:
        yield url


def test_with_operations_in_postgres_the_same_is_refused(
    worked: tuple[Path, Path, Path], home: Path, database: str
) -> None:
    with pytest.raises(DatabaseMissing):
        open_session(settings_of(home, database_url=database))
    settings = on_postgres(home, database)
    with closing(open_session(settings)) as session:
        session.halt("ana")
    for part, source, kind in (
        (Part.WAREHOUSE, None, DatabaseMissing),
        (Part.WAREHOUSE, worked[0], DatabaseOlder),
        (Part.SANDBOX_ERP, worked[0], DatabaseOlder),
        (Part.WAREHOUSE, worked[2], DatabaseForeign),
        (Part.SANDBOX_ERP, None, DatabaseMissing),
    ):
        mixed = Path(shutil.copytree(home, home.with_name("mixed")))
        _exchange(mixed, FILES[part], source)
        _is_refused(settings.model_copy(update={"home": mixed}), kind, part)
        shutil.rmtree(mixed)


def test_operations_in_postgres_begun_afresh_keep_the_old_tables_aside(home: Path, database: str) -> None:
    settings = on_postgres(home, database)
    with closing(open_session(settings)) as session:
        session.start(_needs_again(home))
    standing = _in_erp(home)
    told = start_afresh(settings, Part.OPERATIONS, "ana", "the server was lost")
    schema = Path(str(told["kept_aside"])).name.replace("-", "_")
    engine = create_engine(database.replace("postgresql://", "postgresql+psycopg://"))
    with engine.connect() as connection:
        assert connection.execute(text(f"SELECT COUNT(*) FROM {schema}.runs")).scalar_one() == 1  # noqa: S608
    engine.dispose()
    with closing(open_session(settings)) as session:
        assert session.runs() == []
        session.start(_needs_again(home))
        assert session.verify_journal().ok
    assert _in_erp(home) == standing


def test_what_a_power_cut_takes_from_operations_is_no_older_database(home: Path) -> None:
    """The last rows that were staged without waiting for the disk; the warehouse has them, or never heard of them."""
    with closing(open_session(settings_of(home))) as session:
        operations, journal = session._parts.operations, session._parts.journal
        journal.projector.stop()
        session.halt("ana")
        handed_over = operations.home_mark().handed_over
        journal.project()
        assert operations.home_mark().handed_over > handed_over, "on disk before the warehouse has the row"
        before = operations.home_mark()
        with closing(sqlite3.connect(home / "operations.sqlite")) as raw, raw:
            raw.execute("UPDATE counters SET value = 0 WHERE name = 'projected'")
            raw.execute("DELETE FROM journal_heads WHERE seq = (SELECT MAX(seq) FROM journal_heads)")
        assert before.projected > 0
    with closing(open_session(settings_of(home))):
        pass


def _works(session: LocalSession) -> None:
    assert session.status()["dataset"] != "none"


def test_a_whole_home_that_was_copied_opens(home: Path) -> None:
    copied = Path(shutil.copytree(home, home.with_name("copied")))
    with closing(open_session(settings_of(copied))) as session:
        _works(session)


def test_every_refusal_ends_a_command_with_out_of_reach() -> None:
    assert {kind.exit_code for kind in (DatabaseMissing, DatabaseOlder, DatabaseForeign)} == {OutOfReach.exit_code}
