"""A backup is the home as of one moment, whoever works meanwhile; a restore is whole, or undone, or refused."""

import gzip
import os
import shutil
import signal
import sqlite3
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path

import httpx
import pytest
from demo_home import demo_home, demo_session, plan_trigger, settings_of
from forked import in_child
from jit_command import Jit
from postgres_cluster import postgres_cluster
from serving import Served, served

from graph.session import LocalSession, open_session
from graph.settings import Settings
from graph.upkeep.restoring import restore
from graph.upkeep.starting_afresh import start_afresh
from store.audit.belonging import Part
from store.backup.backup_file import BackupUnusable
from store.backup.moments import SqliteMoment
from store.migrations import NewerHome
from store.operations import Operations
from store.warehouse import WarehouseBusy
from tools.domain.errors import BadInput, NotFound
from tools.domain.orders import OrderStatus

BACKUPS_UNDER_LOAD = 6
STANDS = (OrderStatus.PLACED, OrderStatus.CONFIRMED, OrderStatus.PART_RECEIVED, OrderStatus.RECEIVED)


@pytest.fixture(scope="module")
def planned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with one plan and one approved order."""
    home = demo_home(tmp_path_factory.mktemp("planned"), planned=True)
    with closing(open_session(settings_of(home))) as session:
        session.decide(session.pending()[0].approval_id, "approve", "bob")
    return home


@pytest.fixture
def home(planned: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(planned, tmp_path / "home"))


def _backed_up(home: Path, file: Path) -> Path:
    with closing(open_session(settings_of(home))) as session:
        session.backup(str(file), actor="ana")
    return file


def _placed(home: Path) -> list[str]:
    query = "SELECT idempotency_key FROM orders WHERE idempotency_key NOT LIKE 'before:%' ORDER BY 1"
    with closing(sqlite3.connect(home / "sandbox_erp.sqlite")) as raw:
        return [key for (key,) in raw.execute(query)]


def _stores_agree(session: LocalSession, earlier: Sequence[str] = ()) -> None:
    """Every order of the ledger tells the same as its approval, its actions and the ERP.

    `earlier` are the ERP's orders from before this operations database.
    """
    parts = session._parts
    operations = parts.operations
    orders = {order.order_key: order for order in operations.orders_in(OrderStatus)}
    actions = {row.action_key: row for row in operations.outbox()}
    keys = [key for key in _placed(parts.settings.home) if key not in earlier]
    assert set(keys) <= set(actions), "the ERP has only what was sent"
    for row in actions.values():
        order = orders[row.order_key]
        if row.kind == "place":
            assert (row.action_key in keys) == (order.status in STANDS), (order.order_key, order.status)
    for approval in operations.approvals():
        order = orders[approval.order_key]
        assert (approval.status == "pending") == order.is_pending, (approval.status, order.status)
        if approval.status == "approved" and order.places:
            assert order.status in (*STANDS, OrderStatus.APPROVED, OrderStatus.WITHDRAWN, OrderStatus.CANCELLED)
    assert session.verify_journal().ok, session.verify_journal().reason


def _orders_nothing_twice(session: LocalSession, item_id: str) -> None:
    """A plan of an item whose need is on order, and another plan of it, order nothing more."""
    session.start(plan_trigger(item_id))
    placed = _placed(session._parts.settings.home)
    session.start(plan_trigger(item_id))
    assert _placed(session._parts.settings.home) == placed


def _busy(server: Served, stop: threading.Event) -> list[threading.Thread]:
    """People who plan and decide, and three alerts that come in, until told to stop."""

    def plans() -> None:
        while not stop.is_set():
            server.http.post("/api/runs", json={"kind": "cli", "actor": "ana", "item_ids": ["I010"]})
            stop.wait(0.3)

    def decides() -> None:
        while not stop.is_set():
            for approval in server.get("/api/approvals")[:1]:
                body = {"decision": "approve", "actor": "bob"}
                server.http.post(f"/api/approvals/{approval['approval_id']}/decide", json=body)
            stop.wait(0.3)

    def alerts() -> None:
        for number in range(3):
            server.alert(f"m-{number}", kind="delay", node_id="I012", delay_days=20)
            stop.wait(0.7)

    threads = [threading.Thread(target=work) for work in (plans, decides, alerts)]
    for thread in threads:
        thread.start()
    return threads


def test_backups_under_load_are_each_a_whole_home(planned: Path, tmp_path: Path) -> None:
    home = Path(shutil.copytree(planned, tmp_path / "served"))
    files = [tmp_path / f"backup-{number}.tar.gz" for number in range(BACKUPS_UNDER_LOAD)]
    stop = threading.Event()
    with served(home, tmp_path / "log") as server:
        threads = _busy(server, stop)
        try:
            for number, file in enumerate(files):
                time.sleep(0.1 * (number % 4))
                answer = server.http.post("/api/backup", json={"file": str(file), "actor": "ana"})
                assert answer.status_code == 201, answer.text
        finally:
            stop.set()
            for thread in threads:
                thread.join()
        runs = len(server.get("/api/runs", limit=500))
        assert [one for one in server.get("/api/alerts") if one["run_id"]], "alerts were planned meanwhile"
    held: list[int] = []
    for number, file in enumerate(files):
        settings = settings_of(tmp_path / f"restored-{number}")
        told = restore(settings, file, "ana")
        with closing(open_session(settings)) as session:
            assert len(session.runs(500)) >= int(str(told["runs"]))
            held.append(int(str(told["runs"])))
            _settled(session)
            _stores_agree(session)
            if number == BACKUPS_UNDER_LOAD - 1:
                _orders_nothing_twice(session, "I010")
    assert held == sorted(held)
    assert 1 <= held[0] < held[-1] <= runs, "work went on while backups were made"


def test_a_backup_is_of_one_moment_however_long_the_databases_take_to_begin(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An order that is signed between two of them is in all of them or in none."""
    begun, signed, begin = threading.Event(), threading.Event(), SqliteMoment.begin

    def slowly(moment: SqliteMoment) -> None:
        """The next one waits until the orders are signed and sent, if they can be."""
        begin(moment)
        if not begun.is_set():
            begun.set()
            signed.wait(4)

    monkeypatch.setattr(SqliteMoment, "begin", slowly)
    with closing(open_session(settings_of(home))) as session:
        waiting = [one.approval_id for one in session.pending()][:2]

        def decides() -> None:
            begun.wait()
            for approval_id in waiting:
                session.decide(approval_id, "approve", "bob")
            signed.set()

        deciding = threading.Thread(target=decides)
        deciding.start()
        session.backup(str(tmp_path / "backup.tar.gz"), actor="ana")
        deciding.join()
        assert {one.status for one in session.decided(10) if one.approval_id in waiting} == {"approved"}
    settings = settings_of(tmp_path / "restored")
    restore(settings, tmp_path / "backup.tar.gz", "ana")
    with closing(open_session(settings)) as session:
        _stores_agree(session)
        assert set(waiting) <= {one.approval_id for one in session.pending()}, "they were signed after that moment"


def _settled(session: LocalSession) -> None:
    """Wait until what the backup caught in the middle is done."""
    until = time.monotonic() + 120
    while any(one.status not in ("done", "failed") for one in session.alerts()):
        assert time.monotonic() < until
        time.sleep(0.05)
    session._parts.context.outbox.drain()


@pytest.mark.parametrize("other_home", [False, True])
def test_operations_in_postgres_are_in_the_backup_and_put_back(planned: Path, tmp_path: Path, other_home: bool) -> None:
    home = Path(shutil.copytree(planned, tmp_path / "home"))
    earlier = _placed(home)
    with postgres_cluster() as url:
        settings = settings_of(home, database_url=url)
        start_afresh(settings, Part.OPERATIONS, "ana", "moved to PostgreSQL")
        with closing(open_session(settings)) as session:
            session.start(plan_trigger("I010", "I011", "I012", "I013"))
            session._parts.operations.add_user("bob", "manager")
            before = session.pending(), session.runs(), _placed(home)
            file = tmp_path / "backup.tar.gz"
            told = session.backup(str(file), actor="ana")
            assert told["waiting_approvals"] == len(before[0])
            session.decide(session.pending()[0].approval_id, "approve", "bob")
        if other_home:
            with closing(Operations(url)) as operations:
                assert operations.users()
            settings = settings.model_copy(update={"home": tmp_path / "fresh"})
        done = restore(settings, file, "ana")
        with closing(open_session(settings)) as session:
            assert (session.pending(), session.runs(), _placed(settings.home)) == before
            assert [user.name for user in session._parts.operations.users()] == ["bob"]
            _stores_agree(session, earlier)
            session.decide(session.pending()[0].approval_id, "approve", "bob")
        if not other_home:
            restore(settings, Path(str(done["kept_aside"])), "ana")
            with closing(open_session(settings)) as session:
                assert len(session.pending()) == len(before[0]) - 1


def test_a_restore_brings_the_home_back_and_is_itself_undone(home: Path, tmp_path: Path) -> None:
    settings = settings_of(home)
    file = _backed_up(home, tmp_path / "backup.tar.gz")
    assert file.stat().st_mode & 0o777 == 0o600
    with closing(open_session(settings)) as session:
        waiting, placed = session.pending(), _placed(home)
        placing = next(approval for approval in waiting if approval.lines[0].intent == "place")
        session.decide(placing.approval_id, "approve", "bob")
        assert len(_placed(home)) == len(placed) + 1
    done = restore(settings, file, "ana")
    with closing(open_session(settings)) as session:
        assert (session.pending(), _placed(home)) == (waiting, placed)
        (row,) = [row for row in session.journal() if row.event == "restore"]
        assert (row.actor, row.payload["from"]) == ("ana", str(file))
        assert session.verify_journal().ok
    restore(settings, Path(str(done["kept_aside"])), "ana")
    with closing(open_session(settings)) as session:
        assert len(session.pending()) == len(waiting) - 1
        assert len(_placed(home)) == len(placed) + 1


def _cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-5000])


def _changed(file: Path) -> None:
    """A backup whose bytes unpack, and are not those that were packed."""
    content = bytearray(gzip.decompress(file.read_bytes()))
    content[len(content) // 2] ^= 1
    file.write_bytes(gzip.compress(bytes(content)))


def _nonsense(file: Path) -> None:
    file.write_bytes(b"not a backup at all" * 100)


@pytest.mark.parametrize("harm", [_cut, _changed, _nonsense])
def test_a_damaged_backup_is_refused_before_anything_is_touched(
    home: Path, tmp_path: Path, harm: Callable[[Path], None]
) -> None:
    file = _backed_up(home, tmp_path / "backup.tar.gz")
    harm(file)
    before = {path: path.stat().st_mtime_ns for path in home.iterdir() if path.is_file()}
    with pytest.raises(BackupUnusable, match="damaged or no backup"):
        restore(settings_of(home), file, "ana")
    after = {path: path.stat().st_mtime_ns for path in home.iterdir() if path.is_file()}
    assert {path: at for path, at in after.items() if path in before} == before
    assert not list(home.glob("replaced-*")) + list(home.glob(".restoring/*"))


def test_a_backup_of_another_home_of_a_newer_version_or_of_postgres_is_refused(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = _backed_up(home, tmp_path / "backup.tar.gz")
    other = settings_of(tmp_path / "other")
    with closing(open_session(other)):
        pass
    with pytest.raises(BackupUnusable, match="another home"):
        restore(other, file, "ana")
    with pytest.raises(BackupUnusable, match="holds its operations database for sqlite"):
        restore(settings_of(tmp_path / "third", database_url="postgresql://u@127.0.0.1:9/none"), file, "ana")
    with pytest.raises(NotFound, match="no file"):
        restore(settings_of(home), tmp_path / "none.tar.gz", "ana")
    monkeypatch.setattr("graph.upkeep.restoring.MIGRATIONS", ())
    with pytest.raises((NewerHome, ValueError)):
        restore(settings_of(home), file, "ana")


def test_nothing_is_restored_while_a_process_owns_the_home_and_no_file_is_overwritten(
    home: Path, tmp_path: Path
) -> None:
    file = _backed_up(home, tmp_path / "backup.tar.gz")
    with served(home, tmp_path / "log") as server:
        done = Jit(home)("restore", str(file))
        assert done.returncode == 1, done.stderr
        assert "A server owns this home" in done.stderr
        with pytest.raises(WarehouseBusy):
            restore(settings_of(home), file, "ana")
        answer = server.http.post("/api/backup", json={"file": str(file)})
        assert (answer.status_code, "is there already" in answer.text) == (400, True)
        with closing(Operations(settings_of(home).operations_url)) as operations:
            key = operations.add_user("mia", "manager")
        mine = httpx.Client(base_url=server.http.base_url, headers={"Authorization": f"Bearer {key}"}, trust_env=False)
        with mine:
            assert mine.post("/api/backup", json={}).status_code == 403
        with closing(Operations(settings_of(home).operations_url)) as operations:
            key = operations.add_user("ada", "admin")
        admin = httpx.Client(base_url=server.http.base_url, headers={"Authorization": f"Bearer {key}"}, trust_env=False)
        with admin:
            elsewhere = tmp_path / "elsewhere.tar.gz"
            refused = admin.post("/api/backup", json={"file": str(elsewhere)})
            assert (refused.status_code, elsewhere.exists()) == (403, False)
            made = Path(admin.post("/api/backup", json={}).json()["file"])
            assert (made.parent, made.exists()) == (home / "backups", True)
        assert server.http.post("/api/backup", json={"file": "beside.tar.gz"}).status_code == 400
    with pytest.raises(BadInput, match="no folder"), closing(open_session(settings_of(home))) as session:
        session.backup(str(tmp_path / "none" / "x.tar.gz"))


def _restored_until(settings: Settings, file: Path, renames: int) -> None:
    """Restore, and be killed before the n-th renaming."""
    done, rename = iter(range(10_000)), os.rename

    def counted(source: object, target: object) -> None:
        if next(done) == renames:
            os.kill(os.getpid(), signal.SIGKILL)
        rename(source, target)  # type: ignore[arg-type]

    Path.rename = lambda self, target: counted(self, target)  # type: ignore[assignment, method-assign, return-value]
    restore(settings, file, "ana")


@pytest.mark.parametrize("renames", [0, 1, 2, 4])
def test_a_restore_that_is_killed_anywhere_is_either_undone_or_finished(
    planned: Path, tmp_path: Path, renames: int
) -> None:
    home = Path(shutil.copytree(planned, tmp_path / "home"))
    settings = settings_of(home)
    file = _backed_up(home, tmp_path / "backup.tar.gz")
    with closing(open_session(settings)) as session:
        before = len(session.pending())
        session.decide(session.pending()[0].approval_id, "reject", "bob", "no")
    assert in_child(partial(_restored_until, settings, file, renames)) == signal.SIGKILL
    with closing(open_session(settings)) as session:
        assert len(session.pending()) == (before - 1 if renames == 0 else before)
        told = Counter(row.event for row in session.journal())["restore"]
        assert told == (0 if renames == 0 else 1)
        _stores_agree(session)
    assert not (home / "restore.json").exists()
    assert not (home / ".restoring").exists() or renames == 0
    if renames:
        (aside,) = home.glob("replaced-*")
        assert {"operations.sqlite", "warehouse.duckdb", "sandbox_erp.sqlite"} <= {
            path.name for path in aside.iterdir()
        }


@pytest.fixture
def session(tmp_path: Path) -> Iterator[LocalSession]:
    with demo_session(tmp_path, planned=False) as opened:
        yield opened


def test_a_backup_is_noted_in_the_journal_and_leaves_nothing_beside_itself(session: LocalSession) -> None:
    told = session.backup(actor="ana")
    file = Path(str(told["file"]))
    assert [path.name for path in file.parent.iterdir()] == [file.name]
    assert [row.actor for row in session.journal() if row.event == "backup"] == ["ana"]
