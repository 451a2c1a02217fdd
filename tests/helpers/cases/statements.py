"""SQL statements counted while a session reads."""

from collections.abc import Callable
from threading import get_ident

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
