"""Decide: what waits for a person, and the decision on it."""

from datetime import datetime
from typing import Annotated

import typer

from commands.groups import Group
from commands.opening import actor, printed, session, stored
from commands.options import Actor, AsJson

GROUP = Group("Decide")
DECISIONS = ("approve", "reject", "edit")


@GROUP.command("approvals", example="approvals --find I010")
def approvals(
    find: Annotated[str, typer.Option(help="Only orders with this in the id or name of an item or supplier.")] = "",
    limit: Annotated[int | None, typer.Option(min=1, help="How many; 20 when left out, all with --json.")] = None,
    offset: Annotated[int, typer.Option(min=0, help="How many to pass over.")] = 0,
    as_json: AsJson = False,
) -> None:
    """What waits for a person, oldest first."""
    from terminal.screen import working

    with working("Reading what waits", quiet=as_json):
        from terminal.given import SHOWN_ORDERS, orders_that_wait

        wanted = limit or (None if as_json else SHOWN_ORDERS)
        waiting = orders_that_wait(stored(), wanted, offset, find)
    from terminal.approvals import show_approvals

    if not printed(list(waiting.orders), as_json):
        show_approvals(waiting, offset, actor(""))


@GROUP.command("decisions", example="decisions --item I010 --limit 10")
def decisions(
    item: Annotated[str, typer.Option(help="Only orders with this item.")] = "",
    supplier: Annotated[str, typer.Option(help="Only orders to this supplier, by id or name.")] = "",
    by: Annotated[str, typer.Option(help="Only what this person decided.")] = "",
    limit: Annotated[int, typer.Option(help="How many.")] = 20,
    before: Annotated[str, typer.Option(help="Go on after this place, as the last page named it.")] = "",
    within: Annotated[str, typer.Option(help="The orders of one event, as the page named it, one by one.")] = "",
    as_json: AsJson = False,
) -> None:
    """What was decided of orders, for ever: who, when, from which quantity to which, why, and what became of it."""
    from terminal.screen import working

    with working("Reading what was decided", quiet=as_json):
        found = list(stored().decisions(item, supplier, by, within, limit, before))
    from terminal.decisions import show_decisions

    if not printed(found, as_json):
        show_decisions(found, limit)


def _decisions() -> list[str]:
    return list(DECISIONS)


@GROUP.command("decide", example="decide ap-53e8aef23dfe approve --reason 'price agreed by phone'")
def decide(
    approval_id: Annotated[str, typer.Argument(help="Id from `jit approvals`; a unique beginning is enough.")],
    decision: Annotated[str, typer.Argument(help="approve, reject or edit", autocompletion=_decisions)],
    reason: Annotated[str, typer.Option(help="Why; kept with the decision.")] = "",
    edit: Annotated[list[str] | None, typer.Option(help="ITEM=QUANTITY or LINE=QUANTITY, with `edit`.")] = None,
    until: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Last day on which a rejection or an edit holds.")
    ] = None,
    preview: Annotated[bool, typer.Option("--preview", help="Show what an edit would cost; save nothing.")] = False,
    given: Actor = "",
    as_json: AsJson = False,
) -> None:
    """Approve, reject or edit an order; the run goes on at once."""
    from terminal.screen import working

    with working("Looking the order up", quiet=as_json):
        from terminal.given import edits_of, whole_id

        approval = session().approval(whole_id(session(), approval_id))
        edits = edits_of(edit or [], approval)
        shown = session().preview_edit(approval.approval_id, edits or {}) if preview else None
    if shown is not None:
        from terminal.approvals import show_preview

        if not printed(shown, as_json):
            show_preview(shown, approval)
        return
    with working("Deciding", quiet=as_json) as tell:
        tell(f"Deciding on the order to {approval.supplier}, and going on with its run")
        decided = session().decide(
            approval.approval_id,
            decision,
            actor(given),
            reason,
            content_hash=approval.content_hash,
            edits=edits,
            until=until.date() if until else None,
        )
    from terminal.approvals import show_approval

    if not printed(decided, as_json):
        show_approval(decided)
