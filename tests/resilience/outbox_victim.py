"""Drains an outbox and is killed before its n-th writing statement, in either database. Not a test by itself.

`python outbox_victim.py FOLDER FIRST STEP`: for n = FIRST, FIRST + STEP, ... in a folder of its own each, a forked
process drains until it is killed, another drains what is left, and one line of JSON tells what the ERP holds then.
Ends after the first n that is never reached.
"""

import json
import os
import shutil
import signal
import sqlite3
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from forked import in_child
from sandbox_world import LEAD_TIMES, changing, placing, queued, small_dataset

from erp.adapter import ActionKind, OrderChange
from erp.outbox import Outbox
from erp.sandbox import SandboxErp
from store.operations import Operations

connect = sqlite3.connect
LEASE_SECONDS = 60.0


def fill(folder: Path) -> None:
    """An order of two lines and a change of one of them, queued and not sent."""
    folder.mkdir()
    erp = SandboxErp(folder / "erp.sqlite")
    erp.seed_from(small_dataset(), LEAD_TIMES)
    erp.close()
    with Operations(f"sqlite:///{folder / 'operations.sqlite'}") as operations:
        operations.enqueue(queued(placing("k1", 20, ("A", "B"))))
        operations.enqueue(queued(changing("a1", ActionKind.AMEND, "SB000001/1", OrderChange(quantity=70))))


def drain(folder: Path, minutes_later: int = 0, ready: Callable[[], None] = lambda: None) -> None:
    """What a dispatching process does, at a later time by its own clock, so that old leases have expired.

    `ready` is called when both databases are open and nothing has been leased.
    """

    def clock() -> datetime:
        return datetime.now(UTC) + timedelta(minutes=minutes_later)

    erp = SandboxErp(folder / "erp.sqlite")
    with Operations(f"sqlite:///{folder / 'operations.sqlite'}", clock=clock) as operations:
        ready()
        Outbox(operations, erp, lease_seconds=LEASE_SECONDS).drain()
    erp.close()


def drain_until_killed(folder: Path, statement: int) -> None:
    """Drain, and be killed at once before the n-th statement that writes, commits, or follows a commit.

    Before any other statement the disk holds what it held before one of these.
    """
    seen, counting, committed = 0, False, False

    def count(text: str) -> None:
        nonlocal seen, committed
        verb = text.split(maxsplit=1)[0]
        seen += counting and (committed or verb in ("INSERT", "UPDATE", "COMMIT"))
        committed = verb == "COMMIT"
        if seen == statement:
            os.kill(os.getpid(), signal.SIGKILL)

    def traced(*arguments: object, **options: object) -> sqlite3.Connection:
        opened = connect(*arguments, **options)
        opened.set_trace_callback(count)
        return opened

    def ready() -> None:
        nonlocal counting
        counting = True

    sqlite3.connect = sqlite3.dbapi2.connect = traced
    drain(folder, ready=ready)


def outcome(folder: Path, statement: int, ended_by: int) -> dict[str, object]:
    """What the ERP and the outbox hold after both processes."""
    with connect(folder / "erp.sqlite") as raw:
        orders = raw.execute("SELECT idempotency_key FROM orders ORDER BY 1").fetchall()
        lines = raw.execute("SELECT quantity, status FROM lines ORDER BY order_id").fetchall()
    raw.close()
    with connect(folder / "operations.sqlite") as raw:
        rows = raw.execute("SELECT action_key, status, erp_ref FROM outbox ORDER BY id").fetchall()
    raw.close()
    return {"statement": statement, "killed": ended_by, "orders": orders, "lines": lines, "outbox": rows}


def main(root: Path, first: int, step: int) -> None:
    """Every step-th statement from the first."""
    statement, ended_by = first, signal.SIGKILL.value
    fill(root / "filled")
    while ended_by:
        folder = root / str(statement)
        shutil.copytree(root / "filled", folder)
        ended_by = in_child(partial(drain_until_killed, folder, statement))
        in_child(partial(drain, folder, minutes_later=5))
        sys.stdout.write(json.dumps(outcome(folder, statement, ended_by)) + "\n")
        statement += step


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
