"""Decide: what waits for a person, and the decision on it."""

from typing import Annotated

import typer

from commands.groups import Group
from commands.opening import actor, printed, session, stored
from commands.options import Actor, AsJson

GROUP = Group("Decide")
DECISIONS = ("approve", "reject", "edit")


@GROUP.command("approvals", example="approvals")
def approvals(as_json: AsJson = False) -> None:
    """What waits for a person, oldest first."""
    from terminal.screen import working

    with working("Reading what waits", quiet=as_json):
        waiting = list(stored().pending())
    from terminal.approvals import show_approvals

    if not printed(waiting, as_json):
        show_approvals(waiting, actor(""))


def _decisions() -> list[str]:
    return list(DECISIONS)


@GROUP.command("decide", example="decide ap-53e8aef23dfe approve --reason 'price agreed by phone'")
def decide(
    approval_id: Annotated[str, typer.Argument(help="Id from `jit approvals`; a unique beginning is enough.")],
    decision: Annotated[str, typer.Argument(help="approve, reject or edit", autocompletion=_decisions)],
    reason: Annotated[str, typer.Option(help="Why; kept with the decision.")] = "",
    edit: Annotated[list[str] | None, typer.Option(help="ITEM=QUANTITY or LINE=QUANTITY, with `edit`.")] = None,
    given: Actor = "",
    as_json: AsJson = False,
) -> None:
    """Approve, reject or edit an order; the run goes on at once."""
    from terminal.screen import working

    with working("Looking the order up", quiet=as_json) as tell:
        from terminal.given import edits_of, whole_id

        approval = session().approval(whole_id(session(), approval_id))
        edits = edits_of(edit or [], approval)
        tell(f"Deciding on the order to {approval.supplier}, and going on with its run")
        decided = session().decide(
            approval.approval_id, decision, actor(given), reason, content_hash=approval.content_hash, edits=edits
        )
    from terminal.approvals import show_approval

    if not printed(decided, as_json):
        show_approval(decided)
