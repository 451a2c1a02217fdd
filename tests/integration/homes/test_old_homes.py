"""Homes of the first version, whose orders were objects without a type, are brought into the ledger and go on."""

import gzip
import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import duckdb
import pytest
from demo_home import demo_home, settings_of, without_an_id

from graph.session import LocalSession, open_session
from tools.domain.errors import Conflict
from tools.domain.orders import Order, OrderStatus

STORED = Path(__file__).parents[2] / "fixtures" / "operations-0d714e1.sqlite.gz"
"""Operations of the demo world by the first version: one run, one order signed, one rejected, one signed while
dispatch was halted, three that left by themselves, and eleven that wait."""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    made = demo_home(tmp_path)
    for name in ("operations.sqlite", "operations.sqlite-wal", "operations.sqlite-shm"):
        (made / name).unlink(missing_ok=True)
    (made / "operations.sqlite").write_bytes(gzip.decompress(STORED.read_bytes()))
    without_an_id(made)
    return made


@pytest.fixture
def session(home: Path) -> Iterator[LocalSession]:
    with closing(open_session(settings_of(home))) as opened:
        yield opened


def _orders(session: LocalSession) -> list[Order]:
    return session._parts.operations.orders_of(session.runs(1)[0].run_id)


def test_every_order_is_in_the_ledger_where_it_stood_and_a_copy_is_kept(home: Path, session: LocalSession) -> None:
    statuses = Counter(order.status for order in _orders(session))
    assert statuses == {
        OrderStatus.PLACED: 4,
        OrderStatus.APPROVED: 1,
        OrderStatus.REJECTED: 1,
        OrderStatus.WAITING: 10,
        OrderStatus.CHANGE_WAITING: 1,
        OrderStatus.GATED: 2,
    }
    assert all(order.is_intact for order in _orders(session))
    shown = Counter(line.status for line in session.plan().lines)
    assert shown == {"confirmed": 4, "dispatched": 1, "rejected": 1, "waiting": 15, "shadow": 2}
    with closing(sqlite3.connect(home / "operations.sqlite.before-0003_orders")) as kept:
        assert kept.execute("SELECT COUNT(*) FROM approvals").fetchone() == (14,)


def test_the_copies_kept_before_an_upgrade_are_the_whole_home_of_before(home: Path) -> None:
    """What a log beside the file still holds is in the copy, and an older copy gives way."""
    with closing(sqlite3.connect(home / "operations.sqlite")) as written:
        written.execute("PRAGMA journal_mode=WAL")
        written.execute("PRAGMA wal_autocheckpoint=0")
        written.execute("INSERT INTO users VALUES ('late', 'admin', 'hash', '')")
        written.commit()
        (home / "operations.sqlite.before-0003_orders").write_bytes(b"of an upgrade that was cut off")
        with closing(open_session(settings_of(home))):
            pass
    with closing(sqlite3.connect(home / "operations.sqlite.before-0003_orders")) as kept:
        tables = {name for (name,) in kept.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        assert kept.execute("SELECT name FROM users").fetchall() == [("late",)]
    assert "orders" not in tables and {"approvals", "checkpoints", "writes"} <= tables
    with (
        duckdb.connect(str(home / "warehouse.duckdb.before-0005_home")) as before,
        duckdb.connect(str(home / "warehouse.duckdb")) as now,
    ):
        for table in ("datasets", "c_demand", "c_offers", "artifacts"):
            count = f"SELECT count(*) FROM {table}"  # noqa: S608
            assert before.execute(count).fetchall() == now.execute(count).fetchall()
        names = before.execute("SELECT table_name FROM information_schema.tables").fetchall()
    assert ("home",) not in names


def test_a_second_start_brings_nothing_in_again(home: Path) -> None:
    found: list[list[Order]] = []
    for _ in range(2):
        with closing(open_session(settings_of(home))) as session:
            found.append(_orders(session))
    assert found[0] == found[1]


def test_what_waited_can_still_be_approved_rejected_and_withdrawn(session: LocalSession) -> None:
    session.halt("bob", on=False)
    assert session._parts.operations.unsent_orders() == []
    waiting = [approval for approval in session.pending() if approval.lines[0].intent == "place"]
    placing, other = waiting[0], waiting[1]
    session.decide(placing.approval_id, "approve", "bob")
    session.decide(other.approval_id, "reject", "bob", "too much")
    shown = {line.order_key: line.status for line in session.plan().lines}
    assert (shown[placing.order_key], shown[other.order_key]) == ("confirmed", "rejected")
    session.withdraw(placing.approval_id, "carol", "a mistake")
    with pytest.raises(Conflict, match="no order to take back"):
        session.withdraw(placing.approval_id, "carol")
    assert session._parts.operations.undelivered_decisions() == []
    assert session.runs(1)[0].status.value == "waiting"
