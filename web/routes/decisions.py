"""What people decide and ask over HTTP: approvals, edits, withdrawals, questions."""

from collections.abc import Mapping, Sequence

from graph.views.decisions import DecisionView
from graph.views.orders import ApprovalView, EditPreviewView, WaitingView
from graph.views.plans import AnswerView
from web import endpoints
from web.auth import Asker, acting_name, require
from web.bodies import (
    DecisionBody,
    OnePersonBody,
    PreviewBody,
    QuestionBody,
    ReconsiderBody,
    WithdrawalBody,
)
from web.paging import LONGEST_PAGE, Paged
from web.routes.base import LAST_PLACE, Session, bounded, router, serves

ROUTES = router()


@serves(ROUTES, endpoints.WAITING)
def waiting(asker: Asker, session: Session, limit: int = 50, offset: int = 0, search: str = "") -> WaitingView:
    """Totals of all that waits for a person, and its orders from `offset` on, oldest first, at most 500 at a time."""
    return session.waiting(bounded(limit), max(0, min(offset, LAST_PLACE)), search)


@serves(ROUTES, endpoints.PENDING)
def pending(asker: Asker, session: Session, page: Paged) -> Sequence[ApprovalView]:
    """What waits for a person, oldest first, a page at a time; `X-Total-Count` tells how many there are."""
    return page.cut(session.pending(page.limit, page.start), session.waiting(0).total)


@serves(ROUTES, endpoints.DECIDED)
def decided(asker: Asker, session: Session, limit: int = 20) -> Sequence[ApprovalView]:
    """What people decided, then what became void, each latest first, with what the ERP made of it."""
    return session.decided(bounded(limit))


@serves(ROUTES, endpoints.DECISIONS)
def decisions(
    asker: Asker,
    session: Session,
    item: str = "",
    supplier: str = "",
    by: str = "",
    within: str = "",
    limit: int = 50,
    before: str = "",
) -> Sequence[DecisionView]:
    """What was decided of orders, latest first; `before` takes the cursor of the last one of the page before."""
    return session.decisions(item, supplier, by, within, bounded(limit), before)


@serves(ROUTES, endpoints.APPROVAL)
def approval(approval_id: str, asker: Asker, session: Session) -> ApprovalView:
    """One approval, decided or not."""
    return session.approval(approval_id)


@serves(ROUTES, endpoints.DECIDE)
def decide(approval_id: str, body: DecisionBody, asker: Asker, session: Session) -> ApprovalView:
    """Approve, edit or reject; 409 when already decided or changed since it was read."""
    require(asker, "decide")
    return session.decide(
        approval_id,
        body.decision,
        acting_name(asker, body.actor),
        body.reason,
        content_hash=body.content_hash,
        edits=body.edits,
        until=body.until,
    )


@serves(ROUTES, endpoints.PREVIEW_EDIT)
def preview_edit(approval_id: str, body: PreviewBody, asker: Asker, session: Session) -> EditPreviewView:
    """What an order would cost at other quantities; nothing is saved."""
    return session.preview_edit(approval_id, body.edits)


@serves(ROUTES, endpoints.RECONSIDER)
def reconsider(approval_id: str, body: ReconsiderBody, asker: Asker, session: Session) -> ApprovalView:
    """Take a rejection or an edit back: the next run proposes its lines as it computes them; 409 when none is held."""
    require(asker, "decide")
    return session.reconsider(approval_id, acting_name(asker, body.actor), body.reason)


@serves(ROUTES, endpoints.ONE_PERSON)
def one_person(body: OnePersonBody, asker: Asker, session: Session) -> Mapping[str, object]:
    """Say that this installation has one person, who may sign what policy leaves to one; 409 with two signers."""
    require(asker, "one_person")
    return session.one_person(acting_name(asker, body.actor), body.on)


@serves(ROUTES, endpoints.WITHDRAW)
def withdraw(approval_id: str, body: WithdrawalBody, asker: Asker, session: Session) -> ApprovalView:
    """Take an approval back: drop its order before it leaves, or cancel it in the ERP; 409 when there is none."""
    require(asker, "decide")
    return session.withdraw(approval_id, acting_name(asker, body.actor), body.reason)


@serves(ROUTES, endpoints.ASK)
def ask(body: QuestionBody, asker: Asker, session: Session) -> AnswerView:
    """Answer from stored facts, or replan when the question asks for it."""
    require(asker, "ask")
    return session.ask(body.question, actor=acting_name(asker, body.actor), conversation=body.conversation)


@serves(ROUTES, endpoints.MESSAGES)
def messages(
    asker: Asker, session: Session, conversation: str = "main", limit: int = 200
) -> Sequence[Mapping[str, object]]:
    """The latest of the stored conversation, oldest first."""
    return session.messages(conversation, max(1, min(limit, LONGEST_PAGE)))
