"""Drives a session and is killed before its n-th writing statement. Not a test by itself.

`python session_victim.py plan|decide|alert HOME FOLDER POINTS [WORDS]`: counts the writing statements of the work
(those that contain WORDS) on a copy of HOME, then for POINTS places spread over them a forked process does the work
until it is killed there, another opens the home again, and one line of JSON tells what stands then.

`python session_victim.py wait HOME`: plans, says so, and waits to be killed.
"""

import json
import os
import shutil
import signal
import sqlite3
import sys
import time
from collections.abc import Callable
from contextlib import closing
from functools import partial
from pathlib import Path

from demo_home import FEW_ITEMS, plan_trigger, settings_of
from forked import in_child

from graph.session import LocalSession, open_session

connect = sqlite3.connect
WRITING = ("INSERT", "UPDATE", "COMMIT", "DELETE")


class Counter:
    """Counts writing statements with these words of every SQLite connection; kills the process before one of them."""

    def __init__(self, limit: int, words: str) -> None:
        self.seen = 0
        self.counting = False
        self._limit = limit
        self._words = words

    def install(self) -> None:
        """Trace every connection from now on."""
        sqlite3.connect = sqlite3.dbapi2.connect = self._traced

    def _traced(self, *arguments: object, **options: object) -> sqlite3.Connection:
        opened = connect(*arguments, **options)
        opened.set_trace_callback(self._count)
        return opened

    def _count(self, text: str) -> None:
        counts = self.counting and self._words in text and text.lstrip().split(maxsplit=1)[0].upper() in WRITING
        self.seen += counts
        if counts and self.seen == self._limit:
            os.kill(os.getpid(), signal.SIGKILL)


def plan(session: LocalSession) -> None:
    """A new run with every kind of order."""
    session.start(plan_trigger(*FEW_ITEMS))


def decide(session: LocalSession) -> None:
    """The decision that sends the first waiting order to the ERP."""
    session.decide(session.pending()[0].approval_id, "approve", "bob")


def alert(session: LocalSession) -> None:
    """Two alerts about the same supplier, planned by the thread of the intake."""
    content = {"kind": "delay", "node_id": "S05", "delay_days": 45}
    for message_id in ("m-1", "m-2"):
        session.receive_alert(message_id, {"id": message_id, "source": "edi", "data": content}, "edi")
    until_settled(session)


def until_settled(session: LocalSession) -> None:
    """Wait for the inbox to be empty."""
    while any(one.status not in ("done", "failed") for one in session.alerts()):
        time.sleep(0.05)


WORK: dict[str, Callable[[LocalSession], None]] = {"plan": plan, "decide": decide, "alert": alert}


def work_until(home: Path, kind: str, limit: int, words: str, report: Path | None = None) -> None:
    """Do the work; be killed before the limit-th writing statement with these words."""
    counter = Counter(limit, words)
    counter.install()
    with closing(open_session(settings_of(home))) as session:
        counter.counting = True
        WORK[kind](session)
        counter.counting = False
    if report is not None:
        report.write_text(str(counter.seen))


def outcome(home: Path, point: int) -> None:
    """Open the home again and tell what stands."""
    with closing(open_session(settings_of(home))) as session:
        until_settled(session)
        runs = {run.run_id: run.status.value for run in session.runs()}
        approvals = session._parts.operations.approvals()
        journal = session.verify_journal()
        alerts = [(one.message_id, one.status, one.run_id) for one in session.alerts()]
        told = [str(message.get("run_id", "")) for message in session.messages()]
        outbox = [(row.action_key, row.status) for row in session._parts.operations.outbox()]
    with closing(connect(home / "sandbox_erp.sqlite")) as raw:
        placed = raw.execute("SELECT idempotency_key FROM orders WHERE idempotency_key NOT LIKE 'before:%'").fetchall()
    found = {
        "point": point,
        "runs": runs,
        "alerts": alerts,
        "told": told,
        "approved": sum(row.status == "approved" for row in approvals),
        "undelivered": sum(row.status != "pending" and not row.applied for row in approvals),
        "pending": sum(row.status == "pending" for row in approvals),
        "outbox": outbox,
        "placed": [key for (key,) in placed],
        "journal": journal.ok,
    }
    sys.stdout.write(json.dumps(found) + "\n")
    sys.stdout.flush()


def main(kind: str, home: Path, folder: Path, points: int, words: str = "") -> None:
    """Points spread evenly over the statements of the work; how many there are varies a little with its threads."""
    folder.mkdir()
    shutil.copytree(home, folder / "whole")
    in_child(partial(work_until, folder / "whole", kind, -1, words, folder / "count"))
    total = int(0.85 * int((folder / "count").read_text()))
    for number in range(points):
        point = 1 + number * (total - 1) // max(1, points - 1)
        copy = folder / f"at-{point}"
        shutil.copytree(home, copy)
        if in_child(partial(work_until, copy, kind, point, words)) != signal.SIGKILL:
            raise SystemExit(f"statement {point} of {total} was never reached")
        in_child(partial(outcome, copy, point))


if __name__ == "__main__":
    if sys.argv[1] == "wait":
        with closing(open_session(settings_of(Path(sys.argv[2])))) as opened:
            plan(opened)
            sys.stdout.write("pending\n")
            sys.stdout.flush()
            time.sleep(600)
    else:
        main(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]), int(sys.argv[4]), *sys.argv[5:])
