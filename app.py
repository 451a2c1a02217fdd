"""The command line `jit`. Commands take --json; they exit with 0 done, 1 check failed, 2 bad input, 3 out of reach."""

import getpass
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import closing
from datetime import date, datetime
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from terminal.failures import run as run_to_exit
from tools.domain.errors import BadInput, NotFound, OutOfReach

if TYPE_CHECKING:
    from graph.contracts import SourcingSession, StoredAnswers
    from graph.forecast_views import BacktestView
    from graph.reading import Readings
    from graph.settings import Settings
    from graph.views import PlanView, StepView

cli = typer.Typer(
    name="jit",
    help="Replans purchasing in seconds: start with `jit demo`, or `jit import FOLDER` and `jit plan`.",
    epilog="Exit codes: 0 done, 1 a check or goal not met, or a crash, 2 bad input, 3 a part out of reach, "
    "130 Ctrl-C. Errors go to standard error; with --json standard output holds one JSON document, for an error "
    '{"error": {code, message, remedy, context, exit_code}}. JIT_DEBUG=1 shows the traceback of a crash.',
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document for machines.")]
Actor = Annotated[str, typer.Option("--actor", help="Who acts; the signed-in user when left out.")]
Everything = Annotated[bool, typer.Option("--all", help="Every line, not only the most important ones.")]


@lru_cache(maxsize=1)
def _settings() -> "Settings":
    """The installation's settings. BadInput names the one that is wrong."""
    from graph.settings import Settings

    try:
        return Settings()
    except ValueError as error:
        from terminal.given import wrong_settings

        raise wrong_settings(error) from error


@lru_cache(maxsize=1)
def _session() -> "SourcingSession":
    """The running server's session if one owns this home, else a local one; one for the whole command."""
    remote = _server()
    if remote is not None:
        return remote
    if _readings.cache_info().currsize and (found := _readings()) is not None:
        found.close()
        _readings.cache_clear()
    from graph.session import open_session

    try:
        return open_session(_settings())
    except OSError as error:
        raise OutOfReach(
            f"The home {_settings().home} cannot be opened: {error}.",
            remedy="Set JIT_HOME to a folder that you may write.",
        ) from error


def _server() -> "SourcingSession | None":
    """The session of the server that owns this home; asked only where one has left its address."""
    if not _settings().server_file.exists():
        return None
    from web.client import find_server

    return find_server(_settings().server_file)


@lru_cache(maxsize=1)
def _readings() -> "Readings | None":
    from graph.reading import open_readings

    return open_readings(_settings())


def _stored() -> "StoredAnswers":
    """A session for a command that only reads: the server's, one without graph and engine, or the whole one.

    The whole one where a run, a decision or an alert was left for whoever opens the home next.
    """
    if _session.cache_info().currsize:
        return _session()
    return _server() or _readings() or _session()


def _close() -> None:
    """Release the session, if the command opened one."""
    if _session.cache_info().currsize:
        _session().close()
    if _readings.cache_info().currsize and (found := _readings()) is not None:
        found.close()


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
    as_json: AsJson = False,
) -> None:
    """Build the demo world, run one sourcing run, show every step, and how to go on."""
    from evals.worlds.demo import write_demo_world
    from terminal.plans import show_plan
    from terminal.screen import working
    from terminal.tour import show_tour

    began = time.perf_counter()
    target = folder or _settings().home / "demo_world"
    with working("Building the demo world", quiet=as_json):
        world = write_demo_world(target, seed=seed)
    if not as_json:
        _out(f"Demo world of seed {seed} written to {target}.")
    report = _import(target, world.as_of, lenient=False, quiet=as_json)
    view = _run("First plan of the demo world", (), "demo", quiet=as_json)
    waiting = [approval for approval in _session().pending() if approval.run_id == view.run.run_id]
    took = time.perf_counter() - began
    if not _print({"folder": str(target), "import": report, "plan": view, "seconds": round(took, 2)}, as_json):
        show_plan(view)
        show_tour(view, waiting, _actor(""), took)
    _exit_by_status(view)


@cli.command(name="import")
def import_folder(
    folder: Annotated[Path, typer.Argument(help="Folder of CSV or Parquet files in the canonical schema.")],
    as_of: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Clock of the data.")] = None,
    lenient: Annotated[bool, typer.Option(help="Import the good rows even when some are rejected.")] = False,
    as_json: AsJson = False,
) -> None:
    """Read a folder into a new dataset version; all or nothing unless --lenient."""
    _print(_import(folder, as_of.date() if as_of else None, lenient=lenient, quiet=as_json), as_json)


def _import(folder: Path, as_of: date | None, *, lenient: bool, quiet: bool) -> Mapping[str, object]:
    from terminal.given import rejects_of
    from terminal.reports import show_import, show_rejects
    from terminal.screen import working

    session = _session()
    try:
        with working(f"Importing {folder}", quiet=quiet):
            report = session.import_folder(str(folder.absolute()), as_of=as_of, lenient=lenient)
    except BadInput as error:
        if not quiet:
            show_rejects(rejects_of(session, str(error.context.get("import_id", ""))))
        raise
    if not quiet:
        show_import(report)
    return report


@cli.command()
def rejects(
    import_id: Annotated[str | None, typer.Argument(help="Import id, as a refused import tells it.")] = None,
    as_json: AsJson = False,
) -> None:
    """Every row that imports turned away: file, row, column, reason, remedy."""
    from terminal.given import rejects_of
    from terminal.reports import show_rejects

    found = rejects_of(_stored(), import_id)
    if not _print(found, as_json) and not show_rejects(found, everything=True):
        _out("No row was rejected.")


@cli.command()
def plan(
    items: Annotated[list[str] | None, typer.Argument(help="Items to replan; all when left out.")] = None,
    reason: Annotated[str, typer.Option(help="Why, for the journal.")] = "",
    actor: Actor = "",
    everything: Everything = False,
    as_json: AsJson = False,
) -> None:
    """Run one sourcing run and show its steps, plan and approvals."""
    from terminal.plans import show_plan

    view = _run(reason, tuple(items or ()), actor, quiet=as_json)
    if not _print(view, as_json):
        show_plan(view, everything=everything)
    _exit_by_status(view)


def _run(reason: str, items: Sequence[str], actor: str, *, quiet: bool) -> "PlanView":
    from graph.views import Trigger, TriggerKind
    from terminal.steps import show_steps, until_stopped

    session = _session()
    trigger = Trigger(kind=TriggerKind.CLI, actor=_actor(actor), reason=reason, item_ids=tuple(items))
    steps = session.stream(trigger=trigger)
    done: list[StepView] = list(until_stopped(steps)) if quiet else show_steps(steps)
    return session.plan(done[-1].run_id if done else None)


def _exit_by_status(view: "PlanView") -> None:
    if view.run.status.value in ("failed", "stopped"):
        raise typer.Exit(1)


@cli.command()
def approvals(as_json: AsJson = False) -> None:
    """What waits for a person, oldest first."""
    from terminal.approvals import show_approvals

    waiting = list(_stored().pending())
    if not _print(waiting, as_json):
        show_approvals(waiting, _actor(""))


@cli.command()
def decide(
    approval_id: Annotated[str, typer.Argument(help="Id from `jit approvals`; a unique beginning is enough.")],
    decision: Annotated[str, typer.Argument(help="approve, reject or edit")],
    reason: Annotated[str, typer.Option(help="Why; kept with the decision.")] = "",
    edit: Annotated[list[str] | None, typer.Option(help="ITEM=QUANTITY or LINE=QUANTITY, with `edit`.")] = None,
    actor: Actor = "",
    as_json: AsJson = False,
) -> None:
    """Approve, reject or edit an order; the run goes on at once."""
    from terminal.approvals import show_approval
    from terminal.given import edits_of, whole_id

    session = _session()
    approval = session.approval(whole_id(session, approval_id))
    decided = session.decide(
        approval.approval_id,
        decision,
        _actor(actor),
        reason,
        content_hash=approval.content_hash,
        edits=edits_of(edit or [], approval),
    )
    if not _print(decided, as_json):
        show_approval(decided)


@cli.command()
def withdraw(
    approval_id: Annotated[str, typer.Argument(help="Id of an approval that was given.")],
    reason: Annotated[str, typer.Option(help="Why; kept with the order.")] = "",
    actor: Actor = "",
    as_json: AsJson = False,
) -> None:
    """Take an approval back: its order is dropped before it leaves, or cancelled in the ERP."""
    from terminal.approvals import show_approval

    withdrawn = _session().withdraw(approval_id, _actor(actor), reason)
    if not _print(withdrawn, as_json):
        show_approval(withdrawn)


@cli.command()
def runs(limit: Annotated[int, typer.Option(help="How many.")] = 20, as_json: AsJson = False) -> None:
    """The latest sourcing runs."""
    from terminal.reports import show_runs

    found = list(_stored().runs(limit))
    if not _print(found, as_json):
        show_runs(found)


@cli.command()
def show(
    run: Annotated[str | None, typer.Argument(help="Run id; the latest when left out.")] = None,
    everything: Everything = False,
    as_json: AsJson = False,
) -> None:
    """A stored run: options, lines, gates, approvals."""
    from terminal.plans import show_plan

    view = _stored().plan(run)
    if not _print(view, as_json):
        show_plan(view, everything=everything)


@cli.command()
def explain(
    subject: Annotated[str | None, typer.Argument(help="Item, supplier or line; the plan when left out.")] = None,
    run: Annotated[str | None, typer.Option(help="Run id; the latest when left out.")] = None,
    as_json: AsJson = False,
) -> None:
    """Why the plan came out as it did; of an item or a line also its cost curve and what else it could be."""
    from terminal.reports import check_known, show_answer, show_explanation
    from terminal.stories import show_story, stories_of

    session = _stored()
    answer = session.explain(run, subject)
    if answer.run_id is None:
        raise NotFound("No run is stored yet.", remedy="Start one with `jit plan`.")
    view = session.plan(answer.run_id)
    if subject is None:
        if not _print(answer, as_json):
            show_answer(answer)
        return
    check_known(view, subject)
    stories = stories_of(view.lines, subject, lambda line_id: session.line_story(line_id, answer.run_id))
    if not _print({**answer.model_dump(mode="json"), "stories": stories}, as_json):
        show_explanation(view, subject, answer)
        for story in stories:
            show_story(story)


@cli.command()
def ask(question: str, actor: Actor = "", as_json: AsJson = False) -> None:
    """Ask about the plan in words."""
    from terminal.reports import show_answer

    answer = _session().ask(question, actor=_actor(actor))
    if not _print(answer, as_json):
        show_answer(answer)


@cli.command()
def journal(
    run: Annotated[str | None, typer.Argument(help="Run id; the latest when left out.")] = None,
    verify: Annotated[bool, typer.Option("--verify", help="Check the hash chain of the whole journal.")] = False,
    everything: Everything = False,
    as_json: AsJson = False,
) -> None:
    """The timeline of a run, or the verification of the whole journal."""
    from terminal.timeline import show_check, show_journal

    session = _stored()
    if verify:
        check = session.verify_journal()
        if not _print(check, as_json):
            show_check(check)
        raise typer.Exit(0 if check.ok else 1)
    latest = session.runs(1)
    rows = list(session.journal(run or (latest[0].run_id if latest else None)))
    if run and not rows:
        raise NotFound(f"The journal holds no run {run}.", remedy="`jit runs` lists them.")
    if not _print(rows, as_json):
        show_journal(rows, everything=everything)


@cli.command()
def observe(
    advance_days: Annotated[int, typer.Option(min=0, max=365, help="Sandbox ERP only: move its clock first.")] = 0,
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
    from terminal.given import event_of, settled

    session, event = _session(), event_of(file)
    message_id = str(event.get("id", file.name))
    session.receive_alert(message_id, event, "cli")
    _report(settled(session, message_id).model_dump(mode="json"), as_json)


@cli.command()
def replay(run: str, as_json: AsJson = False) -> None:
    """Recompute a run from its snapshot and compare."""
    result = _session().replay(run)
    _report(result, as_json)
    raise typer.Exit(0 if result.get("identical") else 1)


@cli.command()
def datasets(as_json: AsJson = False) -> None:
    """Dataset versions, newest first; `jit rollback VERSION` makes an earlier one active again."""
    from terminal.reports import show_datasets

    found = list(_stored().datasets())
    if not _print(found, as_json):
        show_datasets(found)


@cli.command()
def forecast(
    item: Annotated[str | None, typer.Argument(help="Item; every item in a table when left out.")] = None,
    site: Annotated[str | None, typer.Option(help="Site, where the item has several.")] = None,
    version: Annotated[str | None, typer.Option(help="Estimate version; the next run's when left out.")] = None,
    plot: Annotated[bool, typer.Option("--plot", help="Draw history and intervals.")] = False,
    save: Annotated[Path | None, typer.Option(help="Write it to a .png, .svg, .html or .json file.")] = None,
    backtest: Annotated[
        bool, typer.Option("--backtest", help="Measure the accuracy first, from earlier clocks.")
    ] = False,
    everything: Everything = False,
    as_json: AsJson = False,
) -> None:
    """The demand forecast of an item with accuracy and provenance, or of all items, the worst first."""
    from terminal.forecasts import show_backtests, show_forecast, show_forecasts
    from terminal.pictures import save_forecast

    session = _session() if backtest else _stored()
    if item is None and (plot or save or site):
        raise BadInput("--plot, --save and --site are about one item.", remedy="Name it: jit forecast ITEM --plot.")
    tested = _measured(version, quiet=as_json) if backtest else ()
    if item is None:
        rows = list(session.forecasts(version))
        if not _print({"forecasts": rows, "backtest": tested} if backtest else rows, as_json):
            show_forecasts(rows, everything=everything)
            if tested:
                show_backtests(tested)
        return
    view = session.forecast(item, site, version)
    if save:
        save_forecast(view, save)
    if not _print(view, as_json):
        show_forecast(view, plot=plot)
        if save:
            _out(f"Written to {save}.")


@cli.command(name="lead-times")
def lead_times(
    subject: Annotated[
        str | None, typer.Argument(help="Supplier, item or open order; all suppliers when left out.")
    ] = None,
    version: Annotated[str | None, typer.Option(help="Estimate version; the next run's when left out.")] = None,
    everything: Everything = False,
    as_json: AsJson = False,
) -> None:
    """How suppliers keep their quotes, the worst first; of one, of an item or an order when it arrives."""
    from terminal.lead_times import show_lead_times

    view = _stored().lead_times(subject, version)
    if not _print(view, as_json):
        show_lead_times(view, everything=everything)


def _measured(version: str | None, *, quiet: bool) -> "Sequence[BacktestView]":
    from terminal.screen import working

    with working("Forecasting again from earlier clocks", quiet=quiet):
        return list(_stored().backtest(version))


@cli.command()
def estimates(
    action: Annotated[str | None, typer.Argument(help="activate; lists the versions when left out.")] = None,
    version: Annotated[str | None, typer.Argument(help="Version to plan with; `configured` for the settings.")] = None,
    reason: Annotated[str, typer.Option(help="Why; kept in the journal.")] = "",
    backtest: Annotated[bool, typer.Option("--backtest", help="Measure the accuracy of the active version.")] = False,
    limit: Annotated[int, typer.Option(help="How many.", min=1)] = 20,
    actor: Actor = "",
    as_json: AsJson = False,
) -> None:
    """Versions of the forecasts and lead times; `activate VERSION` plans with an earlier one again."""
    from terminal.forecasts import show_backtests, show_estimates
    from terminal.given import check_activation

    check_activation(action, version)
    if version is not None:
        _session().activate_estimates(version, _actor(actor), reason)
    tested = _measured(None, quiet=as_json) if backtest else ()
    found = list(_stored().estimates(limit))
    if not _print({"estimates": found, "backtest": tested} if backtest else found, as_json):
        show_estimates(found)
        if tested:
            show_backtests(tested)


@cli.command()
def rollback(
    point: Annotated[str, typer.Argument(help="Version from `jit datasets`.")],
    actor: Actor = "",
    as_json: AsJson = False,
) -> None:
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
    from terminal.reports import show_doctor

    parts, sources = list(_session().diagnose()), _settings().sources()
    if not _print({"settings": sources, "parts": parts}, as_json):
        show_doctor(sources, parts)
    if not all(part.ok for part in parts):
        raise typer.Exit(OutOfReach.exit_code)


@cli.command()
def user(
    name: str,
    role: Annotated[str, typer.Option(help="viewer, analyst, buyer, manager or admin")] = "analyst",
    as_json: AsJson = False,
) -> None:
    """Add a user; prints the API key once."""
    from store.operations import Operations

    _settings().home.mkdir(parents=True, exist_ok=True)
    with closing(Operations(_settings().operations_url)) as operations:
        _report({"user": name, "role": role, "key": operations.add_user(name, role)}, as_json)


@cli.command()
def serve(
    host: Annotated[str, typer.Option(help="Address to listen on; JIT_HOST when left out.")] = "",
    port: Annotated[int, typer.Option(help="Port, 0 for a free one; JIT_PORT when left out.")] = -1,
) -> None:
    """Run the workbench, the HTTP API and the alert webhook until Ctrl-C; prints one-time sign-in links."""
    from web.server import serve_workbench

    settings = _settings()
    serve_workbench(settings, host or settings.host, settings.port if port < 0 else port)


@cli.command()
def link(name: str, as_json: AsJson = False) -> None:
    """A fresh one-time sign-in link of a user, good for 15 minutes."""
    from web.server import sign_in_link

    _report({"user": name, "link": sign_in_link(_settings(), name)}, as_json)


@cli.command(name="eval")
def evaluate(
    suite: Annotated[str, typer.Argument(help="Which suite.")] = "closed_loop",
    seeds: Annotated[int | None, typer.Option(min=1, max=50, help="How many worlds; 9, or 1 with --quick.")] = None,
    weeks: Annotated[int | None, typer.Option(min=4, max=260, help="Weeks played; 52, or 26 with --quick.")] = None,
    quick: Annotated[bool, typer.Option("--quick", help="One world for half a year.")] = False,
    out: Annotated[Path | None, typer.Option(help="The report; JIT_HOME/exports/eval-SUITE.html if left out.")] = None,
    as_json: AsJson = False,
) -> None:
    """Play our policy beside two baselines on a generated world; exits with 1 when a goal is missed."""
    from evals.progress import watched
    from evals.report import as_terminal, ready_page, write_page
    from evals.suites import SuiteSettings, known_suite, run_suite
    from terminal.screen import screen

    page = _settings().home / "exports" / f"eval-{known_suite(suite)}.html"
    page = ready_page(out or page)
    with watched() as on_step:
        result = run_suite(suite, SuiteSettings.of(seeds, weeks, quick=quick), on_step)
    write_page(result, page)
    if not _print({**result.as_json(), "report": str(page)}, as_json):
        screen().print(as_terminal(result))
        _out(f"Report: {page}")
    raise typer.Exit(0 if result.ok else 1)


def _actor(given: str) -> str:
    return given or getpass.getuser()


def _report(result: Mapping[str, Any], as_json: bool) -> None:
    from terminal.reports import show_result

    if not _print(dict(result), as_json):
        show_result(result)


def _out(text: str) -> None:
    typer.echo(text)


def main() -> None:
    """Run the command line and exit; see `terminal.failures` for what each way of ending prints."""
    run_to_exit(cli, _close)


if __name__ == "__main__":
    main()
