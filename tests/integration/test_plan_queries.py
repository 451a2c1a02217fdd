"""What a page reads of the ledger does not grow with its lines."""

from collections.abc import Callable
from pathlib import Path
from threading import get_ident

import pytest
from demo_home import demo_session, plan_trigger
from sqlalchemy import event

from graph.session import LocalSession

Read = Callable[[LocalSession], object]


def statements(session: LocalSession, read: Read) -> int:
    """SQL statements on the operations database while something is read."""
    seen: list[str] = []
    operations, reader = session._parts.operations, get_ident()

    def note(connection: object, cursor: object, statement: str, *more: object) -> None:
        if get_ident() == reader and not statement.startswith("BEGIN"):
            seen.append(statement)

    for engine in (operations._engine, operations._fast):
        event.listen(engine, "before_cursor_execute", note)
    session._parts.journal.transitions("none")
    seen.clear()
    read(session)
    for engine in (operations._engine, operations._fast):
        event.remove(engine, "before_cursor_execute", note)
    return len(seen)


@pytest.mark.parametrize(
    "read",
    [lambda session: session.plan(), lambda session: session.pending(), lambda session: session.runs()],
    ids=["plan", "pending", "runs"],
)
def test_many_lines_are_read_with_as_many_queries_as_few(tmp_path: Path, read: Read) -> None:
    with demo_session(tmp_path / "few", planned=False) as session:
        session.start(plan_trigger("I008"))
        few, lines = statements(session, read), len(session.plan().lines)
    with demo_session(tmp_path / "many") as session:
        many, more = statements(session, read), len(session.plan().lines)
    assert more > 10 * lines
    assert many == few <= 12
