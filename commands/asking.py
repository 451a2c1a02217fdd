"""Ask: why a plan is as it is, a question in words, and the record of what happened."""

from typing import TYPE_CHECKING, Annotated

import typer

from commands.groups import Group
from commands.opening import actor, printed, report, session, stored
from commands.options import Actor, AsJson, Everything
from tools.domain.errors import NotFound

if TYPE_CHECKING:
    from graph.views.plans import AnswerView

GROUP = Group("Ask")


@GROUP.command("explain", example="explain I010")
def explain(
    subject: Annotated[str | None, typer.Argument(help="Item, supplier or line; the plan when left out.")] = None,
    run: Annotated[str | None, typer.Option(help="Run id; the current plan when left out.")] = None,
    as_json: AsJson = False,
) -> None:
    """Why the plan came out as it did; of an item or a line also its cost curve and what else it could be."""
    from terminal.screen import working

    with working("Reading the plan", quiet=as_json):
        answer = stored().explain(run, subject)
    from terminal.reports import show_answer

    if answer.run_id is None:
        raise NotFound("No run is stored yet.", remedy="Start one with `jit plan`.")
    if subject is not None:
        _explain_subject(answer, run, subject, as_json=as_json)
    elif not printed(answer, as_json):
        show_answer(answer)


def _explain_subject(answer: "AnswerView", run_id: str | None, subject: str, *, as_json: bool) -> None:
    from terminal.screen import working

    with working(f"Computing what else could be ordered of {subject}", quiet=as_json):
        from terminal.reports import check_known
        from terminal.stories import stories_of

        view = stored().plan(run_id)
        check_known(view, subject)
        stories = stories_of(view.lines, subject, lambda line: stored().line_story(line.line_id, line.run_id))
    from terminal.reports import show_explanation
    from terminal.stories import show_story

    if not printed({**answer.model_dump(mode="json"), "stories": stories}, as_json):
        show_explanation(view, subject, answer)
        for story in stories:
            show_story(story)


@GROUP.command("ask", example="ask 'what is at risk?'")
def ask(question: str, given: Actor = "", as_json: AsJson = False) -> None:
    """Ask about the plan in words."""
    from terminal.screen import working

    with working("Looking for the answer", quiet=as_json):
        answer = session().ask(question, actor=actor(given))
    from terminal.reports import show_answer

    if not printed(answer, as_json):
        show_answer(answer)


@GROUP.command("journal", example="journal --verify")
def journal(
    run: Annotated[str | None, typer.Argument(help="Run id; the latest when left out.")] = None,
    verify: Annotated[bool, typer.Option("--verify", help="Check the hash chain of the whole journal.")] = False,
    everything: Everything = False,
    as_json: AsJson = False,
) -> None:
    """The timeline of a run, or the verification of the whole journal."""
    from terminal.screen import working

    if verify:
        _verify(as_json)
    with working("Reading the journal", quiet=as_json):
        latest = stored().runs(1)
        rows = list(stored().journal(run or (latest[0].run_id if latest else None)))
    from terminal.timeline import show_journal

    if run and not rows:
        raise NotFound(f"The journal holds no run {run}.", remedy="`jit runs` lists them.")
    if not printed(rows, as_json):
        show_journal(rows, everything=everything)


def _verify(as_json: bool) -> None:
    from terminal.screen import working

    with working("Recomputing the hash of every row of the journal", quiet=as_json):
        check = stored().verify_journal()
    from terminal.timeline import show_check

    if not printed(check, as_json):
        show_check(check)
    raise typer.Exit(0 if check.ok else 1)


@GROUP.command("replay", example="replay run-261129014412-1e4a08")
def replay(run: str, as_json: AsJson = False) -> None:
    """Recompute a run from its snapshot and compare."""
    from terminal.screen import working

    with working(f"Computing {run} again from its snapshot", quiet=as_json):
        result = session().replay(run)
    report(result, as_json)
    raise typer.Exit(0 if result.get("identical") else 1)
