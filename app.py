"""The command line `jit`. Commands take --json; they exit with 0 done, 1 check failed, 2 bad input, 3 out of reach."""

import getpass
import sys
from collections.abc import Mapping, Sequence
from contextlib import closing
from datetime import date, datetime
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tools.domain.errors import BadInput, JitError

if TYPE_CHECKING:
    from graph.contracts import SourcingSession
    from graph.views import StepView

cli = typer.Typer(
    name="jit",
    help="Replans purchasing in seconds: start with `jit demo`, or `jit import FOLDER` and `jit plan`.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document for machines.")]
Actor = Annotated[str, typer.Option("--actor", help="Who acts; the signed-in user when left out.")]


@lru_cache(maxsize=1)
def _session() -> "SourcingSession":
    """The running server's session if one owns this home, else a local one; one for the whole command."""
    from graph.settings import Settings
    from web.client import find_server

    settings = Settings()
    remote = find_server(settings.server_file)
    if remote is not None:
        return remote
    from graph.session import open_session

    return open_session(settings)


def _print(view: object, as_json: bool) -> bool:
    """Print as JSON when asked; tells whether it did."""
    if not as_json:
        return False
    import orjson
    from pydantic import BaseModel

    def plain(value: object) -> object:
        if isinstance(value, BaseModel):
            return value.model_dump(mode="json")
        return str(value)

    sys.stdout.write(orjson.dumps(view, default=plain, option=orjson.OPT_INDENT_2).decode() + "\n")
    return True


@cli.command()
def demo(
    folder: Annotated[Path | None, typer.Option(help="Keep the demo world's files here.")] = None,
    seed: Annotated[int, typer.Option(help="Seed of the demo world.")] = 7,
) -> None:
    """Build the demo world, run one sourcing run, and show every step."""
    from evals.worlds.demo import write_demo_world
    from graph.settings import Settings

    settings = Settings()
    target = folder or settings.home / "demo_world"
    world = write_demo_world(target, seed=seed)
    _out(f"Demo world of seed {seed} written to {target}.")
    _import(target, world.as_of, lenient=False, as_json=False)
    _run("First plan of the demo world", (), "demo", as_json=False)
    from terminal.show import show_next_steps

    show_next_steps()


@cli.command(name="import")
def import_folder(
    folder: Annotated[Path, typer.Argument(help="Folder of CSV or Parquet files in the canonical schema.")],
    as_of: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Clock of the data.")] = None,
    lenient: Annotated[bool, typer.Option(help="Import the good rows even when some are rejected.")] = False,
    as_json: AsJson = False,
) -> None:
    """Read a folder into a new dataset version; all or nothing unless --lenient."""
    _import(folder, as_of.date() if as_of else None, lenient=lenient, as_json=as_json)


def _import(folder: Path, as_of: date | None, *, lenient: bool, as_json: bool) -> None:
    from terminal.show import show_import

    report = _session().import_folder(str(folder.absolute()), as_of=as_of, lenient=lenient)
    if not _print(report, as_json):
        show_import(report)


@cli.command()
def plan(
    items: Annotated[list[str] | None, typer.Argument(help="Items to replan; all when left out.")] = None,
    reason: Annotated[str, typer.Option(help="Why, for the journal.")] = "",
    actor: Actor = "",
    as_json: AsJson = False,
) -> None:
    """Run one sourcing run and show its steps, plan and approvals."""
    _run(reason, tuple(items or ()), actor, as_json=as_json)


def _run(reason: str, items: Sequence[str], actor: str, *, as_json: bool) -> None:
    from graph.views import Trigger, TriggerKind
    from terminal.show import show_plan, show_steps

    session = _session()
    trigger = Trigger(kind=TriggerKind.CLI, actor=_actor(actor), reason=reason, item_ids=tuple(items))
    steps = session.stream(trigger=trigger)
    done: list[StepView] = list(steps) if as_json else show_steps(steps)
    view = session.plan(done[-1].run_id if done else None)
    if not _print(view, as_json):
        show_plan(view)
    if view.run.status.value in ("failed", "stopped"):
        raise typer.Exit(1)


@cli.command()
def approvals(as_json: AsJson = False) -> None:
    """What waits for a person, oldest first."""
    from terminal.show import show_approvals

    waiting = list(_session().pending())
    if not _print(waiting, as_json):
        show_approvals(waiting)


@cli.command()
def decide(
    approval_id: Annotated[str, typer.Argument(help="Id from `jit approvals`; a unique beginning is enough.")],
    decision: Annotated[str, typer.Argument(help="approve, reject or edit")],
    reason: Annotated[str, typer.Option(help="Why; kept with the decision.")] = "",
    edit: Annotated[list[str] | None, typer.Option(help="LINE=QUANTITY, with `edit`.")] = None,
    actor: Actor = "",
    as_json: AsJson = False,
) -> None:
    """Approve, reject or edit an order; the run goes on at once."""
    from terminal.show import show_approval

    session = _session()
    approval = session.approval(_whole_id(session, approval_id))
    decided = session.decide(
        approval.approval_id,
        decision,
        _actor(actor),
        reason,
        content_hash=approval.content_hash,
        edits=_edits(edit or []),
    )
    if not _print(decided, as_json):
        show_approval(decided)


def _whole_id(session: "SourcingSession", start: str) -> str:
    found = [a.approval_id for a in session.pending() if a.approval_id.startswith(start)]
    return found[0] if len(found) == 1 else start


def _edits(pairs: Sequence[str]) -> dict[str, float] | None:
    edits: dict[str, float] = {}
    for pair in pairs:
        line, equals, quantity = pair.partition("=")
        try:
            edits[line] = float(quantity)
        except ValueError:
            equals = ""
        if not equals:
            raise BadInput(f"--edit {pair!r} is not LINE=QUANTITY.", remedy="Write for example L-03=240.")
    return edits or None


@cli.command()
def runs(limit: Annotated[int, typer.Option(help="How many.")] = 20, as_json: AsJson = False) -> None:
    """The latest sourcing runs."""
    from terminal.show import show_runs

    found = list(_session().runs(limit))
    if not _print(found, as_json):
        show_runs(found)


@cli.command()
def show(
    run: Annotated[str | None, typer.Argument(help="Run id; the latest when left out.")] = None,
    as_json: AsJson = False,
) -> None:
    """A stored run: options, lines, verdicts, approvals."""
    from terminal.show import show_plan

    view = _session().plan(run)
    if not _print(view, as_json):
        show_plan(view)


@cli.command()
def explain(
    subject: Annotated[str | None, typer.Argument(help="Item, supplier or line; the plan when left out.")] = None,
    run: Annotated[str | None, typer.Option(help="Run id; the latest when left out.")] = None,
    as_json: AsJson = False,
) -> None:
    """Why the plan came out as it did, with formula and figures."""
    from terminal.show import show_answer

    answer = _session().explain(run, subject)
    if not _print(answer, as_json):
        show_answer(answer)


@cli.command()
def ask(question: str, actor: Actor = "", as_json: AsJson = False) -> None:
    """Ask about the plan in words."""
    from terminal.show import show_answer

    answer = _session().ask(question, actor=_actor(actor))
    if not _print(answer, as_json):
        show_answer(answer)


@cli.command()
def journal(
    run: Annotated[str | None, typer.Argument(help="Run id; the latest when left out.")] = None,
    verify: Annotated[bool, typer.Option("--verify", help="Check the hash chain of the whole journal.")] = False,
    as_json: AsJson = False,
) -> None:
    """The timeline of a run, or the verification of the whole journal."""
    from terminal.show import show_check, show_journal

    session = _session()
    if verify:
        check = session.verify_journal()
        if not _print(check, as_json):
            show_check(check)
        raise typer.Exit(0 if check.ok else 1)
    latest = session.runs(1)
    rows = list(session.journal(run or (latest[0].run_id if latest else None)))
    if not _print(rows, as_json):
        show_journal(rows)


@cli.command()
def observe(
    advance_days: Annotated[int, typer.Option(help="Sandbox ERP only: move its clock first.")] = 0,
    as_json: AsJson = False,
) -> None:
    """Read confirmations and receipts back from the ERP and learn from them."""
    _report(_session().observe(advance_days), as_json)


@cli.command()
def alert(
    file: Annotated[Path, typer.Argument(help="A CloudEvents JSON file, as the webhook takes it.")],
    as_json: AsJson = False,
) -> None:
    """Give a supplier alert by hand; it starts a replan of the affected items."""
    import orjson

    try:
        event = orjson.loads(file.read_bytes())
    except (OSError, orjson.JSONDecodeError) as error:
        raise BadInput(f"{file} holds no JSON event: {error}.", remedy="See docs/alerts.md for one.") from error
    _report(_session().receive_alert(str(event.get("id", file.name)), event, "cli"), as_json)


@cli.command()
def replay(run: str, as_json: AsJson = False) -> None:
    """Recompute a run from its snapshot and compare."""
    result = _session().replay(run)
    _report(result, as_json)
    raise typer.Exit(0 if result.get("identical") else 1)


@cli.command()
def rollback(point: str, actor: Actor = "", as_json: AsJson = False) -> None:
    """Make an earlier dataset version active again."""
    _report(_session().rollback(point, _actor(actor)), as_json)


@cli.command()
def halt(
    off: Annotated[bool, typer.Option("--off", help="Allow dispatch again.")] = False,
    actor: Actor = "",
    as_json: AsJson = False,
) -> None:
    """Stop every dispatch to the ERP; approvals and plans stay."""
    _report(_session().halt(_actor(actor), not off), as_json)


@cli.command()
def doctor(as_json: AsJson = False) -> None:
    """Settings with their source, and whether database, ERP, model and clock answer."""
    from graph.settings import Settings
    from terminal.show import show_doctor

    settings = Settings()
    status = dict(_session().status())
    sources = settings.sources()
    if not _print({"settings": sources, "status": status}, as_json):
        show_doctor(sources, status)


@cli.command()
def user(
    name: str,
    role: Annotated[str, typer.Option(help="viewer, analyst, buyer, manager or admin")] = "analyst",
    as_json: AsJson = False,
) -> None:
    """Add a user; prints the API key once."""
    from graph.settings import Settings
    from store.operations import Operations

    with closing(Operations(Settings().operations_url)) as operations:
        _report({"user": name, "role": role, "key": operations.add_user(name, role)}, as_json)


def _actor(given: str) -> str:
    return given or getpass.getuser()


def _report(result: Mapping[str, Any], as_json: bool) -> None:
    if not _print(dict(result), as_json):
        for key, value in result.items():
            _out(f"{key}: {value}")


def _out(text: str) -> None:
    typer.echo(text)


def main() -> None:
    """Run the command line; errors of ours print one line with the remedy and set the exit code."""
    try:
        cli(standalone_mode=True)
    except JitError as error:
        typer.echo(f"Error {error}", err=True)
        sys.exit(error.exit_code)
    finally:
        if _session.cache_info().currsize:
            _session().close()


if __name__ == "__main__":
    main()
