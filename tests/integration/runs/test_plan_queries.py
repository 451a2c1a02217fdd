"""What a page reads of the ledger does not grow with its lines."""

from pathlib import Path

import pytest
from demo_home import demo_session, plan_trigger
from statements import Read, statements


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
