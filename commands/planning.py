"""Plan: one sourcing run and what is stored of it."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from commands.groups import Group
from commands.opening import actor, printed, report, session, stored
from commands.options import Actor, AsJson, Everything

if TYPE_CHECKING:
    from graph.views.plans import PlanView

GROUP = Group("Plan")


@GROUP.command("plan", example="plan I010 I014 --reason 'new prices'")
def plan(
    items: Annotated[list[str] | None, typer.Argument(help="Items to replan; all when left out.")] = None,
    reason: Annotated[str, typer.Option(help="Why, for the journal.")] = "",
    given: Actor = "",
    everything: Everything = False,
    as_json: AsJson = False,
) -> None:
    """Run one sourcing run and show its steps, plan and approvals."""
    from terminal.plans import show_plan

    view = planned(reason, tuple(items or ()), given, printing=not as_json, quiet=as_json)
    if not printed(view, as_json):
        show_plan(view, everything=everything)
    exit_by_status(view)


def planned(reason: str, items: Sequence[str], given: str, *, printing: bool, quiet: bool) -> "PlanView":
    """The plan of a run that is started here; its steps are printed as they end, when asked for."""
    from terminal.screen import working

    with working("Opening the home", quiet=quiet):
        from graph.views.runs import Trigger, TriggerKind

        opened = session()
        trigger = Trigger(kind=TriggerKind.CLI, actor=actor(given), reason=reason, item_ids=tuple(items))
    from terminal.steps import show_steps

    done = show_steps(opened.stream(trigger=trigger), printing=printing, quiet=quiet)
    with working("Reading the plan", quiet=quiet):
        return opened.plan(done[-1].run_id if done else None)


def exit_by_status(view: "PlanView") -> None:
    """End with 1 when the run failed or was stopped."""
    if view.run.status.value in ("failed", "stopped"):
        raise typer.Exit(1)


@GROUP.command("show", example="show --all")
def show(
    run: Annotated[str | None, typer.Argument(help="Run id; the current plan of every item when left out.")] = None,
    everything: Everything = False,
    as_json: AsJson = False,
) -> None:
    """The current plan of every item, or what one run planned: options, lines, gates, approvals."""
    from terminal.screen import working

    with working("Reading the plan", quiet=as_json):
        view = stored().plan(run)
    from terminal.plans import show_plan

    if not printed(view, as_json):
        show_plan(view, everything=everything)


@GROUP.command("cancel", example="cancel --reason 'the file was the wrong one'")
def cancel(
    run: Annotated[str | None, typer.Argument(help="Run id; the latest that computes when left out.")] = None,
    reason: Annotated[str, typer.Option(help="Why; kept in the journal.")] = "",
    given: Actor = "",
    as_json: AsJson = False,
) -> None:
    """End a run that a server computes: nothing of it is published, the plan before it stays."""
    from terminal.screen import working

    with working("Ending the run", quiet=as_json):
        ended = session().cancel(actor(given), run, reason)
    if not printed(ended, as_json):
        stands = "ends in a moment" if ended.status.value == "running" else "is cancelled"
        typer.echo(f"{ended.run_id} {stands}; the plan before it stays current. Plan anew: jit plan")


@GROUP.command("runs", example="runs --limit 5")
def runs(limit: Annotated[int, typer.Option(help="How many.")] = 20, as_json: AsJson = False) -> None:
    """The latest sourcing runs."""
    from terminal.screen import working

    with working("Reading the latest runs", quiet=as_json):
        found = list(stored().runs(limit))
    from terminal.reports import show_runs

    if not printed(found, as_json):
        show_runs(found)


@GROUP.command("alert", example="alert event.json")
def alert(
    file: Annotated[Path, typer.Argument(help="A CloudEvents JSON file, as the webhook takes it.")],
    given: Actor = "",
    as_json: AsJson = False,
) -> None:
    """Give a supplier alert by hand; it starts a replan of the affected items."""
    from terminal.screen import working

    with working("Opening the home", quiet=as_json) as tell:
        from terminal.given import event_of, settled

        opened, event = session(), event_of(file)
        message_id = str(event.get("id", file.name))
        opened.receive_alert(message_id, event, "by hand", actor(given))
        tell("Planning what the alert affects anew")
        result = settled(opened, message_id).model_dump(mode="json")
    report(result, as_json)
