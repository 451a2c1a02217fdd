"""What a new dataset version says otherwise, nobody can sign for any more; the rest stays as it is."""

import csv
import shutil
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from demo_home import demo_home, settings_of

from evals.worlds.demo import AS_OF, write_demo_world
from graph.session import LocalSession, open_session
from graph.views.orders import ApprovalView
from tools.domain.errors import Conflict

Row = dict[str, str]


@pytest.fixture
def session(tmp_path: Path) -> Iterator[LocalSession]:
    with closing(open_session(settings_of(demo_home(tmp_path, planned=True)))) as opened:
        yield opened


@pytest.fixture
def world(tmp_path: Path) -> Path:
    write_demo_world(tmp_path / "world")
    return tmp_path / "world"


def changed(world: Path, table: str, change: Callable[[Row], Row | None]) -> None:
    """Rewrite a table row by row; None drops one."""
    with (world / f"{table}.csv").open(newline="", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    kept = [new for row in rows if (new := change(dict(row))) is not None]
    with (world / f"{table}.csv").open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, rows[0].keys())
        writer.writeheader()
        writer.writerows(kept)


def placing(session: LocalSession) -> list[ApprovalView]:
    """Approvals that order something new and have one line, the first two of different items."""
    found = [one for one in session.pending() if len(one.lines) == 1 and one.lines[0].intent == "place"]
    assert len({one.lines[0].item_id for one in found}) >= 2
    return found


def test_an_order_for_what_was_counted_in_stock_meanwhile_cannot_be_signed(session: LocalSession, world: Path) -> None:
    first, *others = placing(session)
    item_id = first.lines[0].item_id

    def twice(row: Row) -> Row:
        more = float(row["on_hand"]) + first.lines[0].quantity
        return {**row, "on_hand": str(more)} if row["item_id"] == item_id else row

    changed(world, "stock", twice)
    session.import_folder(str(world), as_of=AS_OF)
    with pytest.raises(Conflict, match="void"):
        session.decide(first.approval_id, "approve", "bob", "")
    assert session.approval(first.approval_id).status == "void"
    other = next(one for one in others if one.lines[0].item_id != item_id)
    assert session.decide(other.approval_id, "approve", "bob", "").status == "approved"


def test_less_stock_than_before_leaves_what_waits_to_be_signed(session: LocalSession, world: Path) -> None:
    first = placing(session)[0]
    changed(world, "stock", lambda row: {**row, "on_hand": "0"})
    session.import_folder(str(world), as_of=AS_OF)
    assert session.decide(first.approval_id, "approve", "bob", "").status == "approved"


def test_an_order_with_a_supplier_who_is_blocked_by_now_cannot_be_signed(session: LocalSession, world: Path) -> None:
    first = placing(session)[0]
    blocked = {"supplier_id": first.lines[0].supplier_id, "status": "blocked"}
    changed(world, "suppliers", lambda row: row | blocked if row["supplier_id"] == first.lines[0].supplier_id else row)
    session.import_folder(str(world), as_of=AS_OF)
    with pytest.raises(Conflict, match="void"):
        session.decide(first.approval_id, "approve", "bob", "")


def test_an_order_at_a_price_that_is_no_longer_offered_cannot_be_signed(session: LocalSession, world: Path) -> None:
    first = placing(session)[0]
    item_id = first.lines[0].item_id

    def dearer(row: Row) -> Row:
        wanted = (row["item_id"], row["supplier_id"]) == (item_id, first.lines[0].supplier_id)
        return {**row, "unit_price": str(float(row["unit_price"]) * 1.3)} if wanted else row

    changed(world, "offers", dearer)
    session.import_folder(str(world), as_of=AS_OF)
    with pytest.raises(Conflict, match="void"):
        session.decide(first.approval_id, "approve", "bob", "")


def test_going_back_to_a_version_with_more_stock_voids_what_waits_and_the_same_folder_voids_nothing(
    session: LocalSession, world: Path, tmp_path: Path
) -> None:
    first = placing(session)[0]
    before = session.import_folder(str(world), as_of=AS_OF)["version"]
    assert {one.approval_id for one in session.pending()} >= {first.approval_id}
    shutil.copytree(world, tmp_path / "less")
    changed(tmp_path / "less", "stock", lambda row: {**row, "on_hand": "0"})
    session.import_folder(str(tmp_path / "less"), as_of=AS_OF)
    session.rollback(str(before), "bob")
    with pytest.raises(Conflict, match="void"):
        session.decide(first.approval_id, "approve", "bob", "")
