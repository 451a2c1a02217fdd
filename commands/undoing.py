"""Undo: take back an approval or a dataset, and stop everything that leaves."""

from typing import Annotated

import typer

from commands.groups import Group
from commands.opening import actor, printed, report, session
from commands.options import Actor, AsJson

GROUP = Group("Undo")


@GROUP.command("withdraw", example="withdraw ap-53e8aef23dfe --reason 'ordered twice'")
def withdraw(
    approval_id: Annotated[str, typer.Argument(help="Id of an approval that was given.")],
    reason: Annotated[str, typer.Option(help="Why; kept with the order.")] = "",
    given: Actor = "",
    as_json: AsJson = False,
) -> None:
    """Take an approval back: its order is dropped before it leaves, or cancelled in the ERP."""
    from terminal.screen import working

    with working("Taking the order back", quiet=as_json):
        withdrawn = session().withdraw(approval_id, actor(given), reason)
    from terminal.approvals import show_approval

    if not printed(withdrawn, as_json):
        show_approval(withdrawn)


@GROUP.command("reconsider", example="reconsider ap-53e8aef23dfe --reason 'the promotion is back'")
def reconsider(
    approval_id: Annotated[str, typer.Argument(help="Id of an approval that was rejected or edited.")],
    reason: Annotated[str, typer.Option(help="Why; kept with the decision.")] = "",
    given: Actor = "",
    as_json: AsJson = False,
) -> None:
    """Take a rejection or an edit back: the next plan proposes its lines as it computes them."""
    from terminal.screen import working

    with working("Taking the decision back", quiet=as_json):
        found = session().reconsider(approval_id, actor(given), reason)
    if not printed(found, as_json):
        items = " ".join(dict.fromkeys(line.item_id for line in found.lines))
        typer.echo(f"Nothing holds the order to {found.supplier} back any more. Plan it again: jit plan {items}")


@GROUP.command("rollback", example="rollback ds-1-471979dd")
def rollback(
    point: Annotated[str, typer.Argument(help="Version from `jit datasets`.")],
    given: Actor = "",
    as_json: AsJson = False,
) -> None:
    """Make an earlier dataset version active again."""
    from terminal.screen import working

    with working(f"Going back to {point}", quiet=as_json):
        result = session().rollback(point, actor(given))
    report(result, as_json)


@GROUP.command("halt", example="halt --off")
def halt(
    off: Annotated[bool, typer.Option("--off", help="Allow dispatch again.")] = False,
    given: Actor = "",
    as_json: AsJson = False,
) -> None:
    """Stop every dispatch to the ERP; approvals and plans stay."""
    from terminal.screen import working

    with working("Sending what was signed" if off else "Stopping dispatch", quiet=as_json):
        result = session().halt(actor(given), not off)
    report(result, as_json)
