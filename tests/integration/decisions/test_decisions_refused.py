"""Decisions that cannot be: a clear sentence with what is true now, nothing bought and nothing lost."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest
from demo_home import demo_session, plan_trigger
from integration.web.running_app import running
from pydantic import SecretStr

from graph.session import LocalSession
from graph.views.orders import ApprovalView, LineView
from tools.domain.errors import BadInput, Conflict
from web.api import create_app
from web.auth import WithOwner
from web.client import RemoteSession
from web.settings import WebSettings

ITEM = "I022"
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


@dataclass
class Buying:
    """A home whose plan waits for a signature, and the door through which people decide."""

    home: Path
    session: LocalSession
    door: LocalSession | RemoteSession

    def plan(self) -> ApprovalView:
        """The approval that a new run asks for."""
        self.session.start(plan_trigger(ITEM))
        return self.asked()

    def asked(self) -> ApprovalView:
        (approval,) = self.session.pending()
        return approval

    def in_erp(self) -> list[tuple[float, str]]:
        """Quantity and status of each line of ours."""
        query = (
            "SELECT quantity, status FROM lines JOIN orders USING (erp_ref) WHERE idempotency_key NOT LIKE 'before:%'"
        )
        with closing(sqlite3.connect(self.home / "sandbox_erp.sqlite")) as raw:
            return raw.execute(query).fetchall()

    def edit(self, approval: ApprovalView, quantity: float, editor: str = "bob") -> ApprovalView:
        edits = {approval.lines[0].line_id: quantity}
        return self.door.decide(approval.approval_id, "edit", editor, "too many", edits=edits)


@pytest.fixture(params=["local", "http"])
def buying(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Buying]:
    with demo_session(tmp_path, planned=False) as session:
        home = tmp_path / "home"
        if request.param == "local":
            yield Buying(home, session, session)
            return
        settings = WebSettings(home=home, webhook_secret=SecretStr(SECRET))
        app = create_app(session, WithOwner(session._parts.operations, "owner-key"), settings)
        with running(app) as url, closing(RemoteSession(url, "owner-key")) as remote:
            yield Buying(home, session, remote)
        app.state.live.close()


def half_of(line: LineView) -> float:
    step = line.figures["order_multiple"]
    return line.quantity / 2 // step * step


@pytest.mark.parametrize("decision", ["approve", "reject", "edit"])
def test_an_approval_that_a_newer_plan_replaced_says_so(buying: Buying, decision: str) -> None:
    first = buying.plan()
    again = buying.plan()
    edits = {first.lines[0].line_id: half_of(first.lines[0])} if decision == "edit" else None
    with pytest.raises(Conflict, match="already void: replaced by a newer plan") as refused:
        buying.door.decide(first.approval_id, decision, "bob", edits=edits)
    assert "approvals" in refused.value.remedy
    assert buying.asked() == again and buying.in_erp() == []


def test_an_approved_order_is_decided_once(buying: Buying) -> None:
    approval = buying.plan()
    buying.door.decide(approval.approval_id, "approve", "bob")
    bought = buying.in_erp()
    assert len(bought) == 1
    for decision in ("approve", "reject"):
        with pytest.raises(Conflict, match="already approved by bob"):
            buying.door.decide(approval.approval_id, decision, "carol")
    assert buying.in_erp() == bought


def test_a_rejected_order_can_not_be_approved_afterwards(buying: Buying) -> None:
    approval = buying.plan()
    buying.door.decide(approval.approval_id, "reject", "bob", "too much")
    with pytest.raises(Conflict, match="already rejected by bob"):
        buying.door.decide(approval.approval_id, "approve", "carol")
    assert buying.in_erp() == [] and buying.session.pending() == []


def test_an_edit_to_the_same_quantity_is_no_edit(buying: Buying) -> None:
    approval = buying.plan()
    with pytest.raises(BadInput, match="changes nothing"):
        buying.edit(approval, approval.lines[0].quantity)
    assert buying.asked() == approval


def test_an_edit_back_to_what_was_asked_for_before_asks_again(buying: Buying) -> None:
    first = buying.plan()
    whole, half = first.lines[0].quantity, half_of(first.lines[0])
    ids = [first.approval_id]
    for quantity, editor in ((half, "bob"), (whole, "carol"), (half, "dave"), (whole, "erin")):
        buying.edit(buying.asked(), quantity, editor)
        ids.append(buying.asked().approval_id)
        assert buying.asked().lines[0].quantity == quantity
    assert len(set(ids)) == len(ids)
    buying.door.decide(ids[-1], "approve", "zoe")
    assert [quantity for quantity, _ in buying.in_erp()] == [whole]


def test_an_edit_to_nothing_ends_the_order_and_says_who_did(buying: Buying) -> None:
    approval = buying.plan()
    ended = buying.edit(approval, 0)
    assert (ended.status, ended.decided_by, ended.reason) == ("edited", "bob", "too many")
    assert buying.session.pending() == [] and buying.in_erp() == []
    with pytest.raises(Conflict, match="already edited by bob"):
        buying.door.decide(approval.approval_id, "approve", "carol")


@pytest.mark.parametrize(
    ("quantity", "said"),
    [
        (0.5, "below the supplier's minimum"),
        (1_000_000.0, "far beyond"),
        (2e9, "needs quantities of 0 to"),
        (-1.0, "needs quantities of 0 to"),
    ],
)
def test_an_edit_outside_of_what_is_allowed_is_refused_with_the_reason(
    buying: Buying, quantity: float, said: str
) -> None:
    approval = buying.plan()
    with pytest.raises(BadInput, match=said):
        buying.edit(approval, quantity)
    assert buying.asked() == approval and buying.in_erp() == []


@pytest.mark.parametrize("decision", ["", "reject"])
def test_what_was_never_approved_can_not_be_taken_back(buying: Buying, decision: str) -> None:
    approval = buying.plan()
    if decision:
        buying.door.decide(approval.approval_id, decision, "bob")
    said = "is rejected and its order rejected" if decision else "is pending and its order waiting"
    with pytest.raises(Conflict, match=said):
        buying.door.withdraw(approval.approval_id, "bob")


def test_an_order_that_the_erp_confirmed_is_cancelled_there_once_and_its_need_is_planned_again(buying: Buying) -> None:
    approval = buying.plan()
    buying.door.decide(approval.approval_id, "approve", "bob")
    assert buying.door.withdraw(approval.approval_id, "bob", "a mistake").lines[0].status == "withdrawn"
    assert [status for _, status in buying.in_erp()] == ["cancelled"]
    with pytest.raises(Conflict, match="approved and its order cancelled; there is no order to take back"):
        buying.door.withdraw(approval.approval_id, "bob")
    with pytest.raises(Conflict, match="already approved"):
        buying.door.decide(approval.approval_id, "approve", "bob")
    again = buying.plan()
    assert (again.lines[0].item_id, again.lines[0].quantity) == (ITEM, approval.lines[0].quantity)
    assert [status for _, status in buying.in_erp()] == ["cancelled"]


@pytest.mark.parametrize("read_back", [True, False], ids=["known", "not read back yet"])
def test_goods_that_arrived_are_not_taken_back(buying: Buying, read_back: bool) -> None:
    approval = buying.plan()
    buying.door.decide(approval.approval_id, "approve", "bob")
    if read_back:
        buying.session.observe(300)
    else:
        buying.session._parts.erp.advance(300)
    held = buying.in_erp()
    assert [status for _, status in held] == ["received"]
    with pytest.raises(Conflict, match="its order received; there is no order to take back"):
        buying.door.withdraw(approval.approval_id, "bob", "too late")
    assert buying.in_erp() == held
    assert buying.session.approval(approval.approval_id).lines[0].status == "received"
