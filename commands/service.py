"""Run the service: the server with its users, the state of the installation, and its evaluation."""

from contextlib import ExitStack, closing
from pathlib import Path
from typing import Annotated

import typer

from commands.groups import Group
from commands.opening import actor, local_settings, printed, report, session, settings
from commands.options import Actor, AsJson
from tools.domain.errors import OutOfReach

GROUP = Group("Run the service")


@GROUP.command("serve", example="serve --port 0")
def serve(
    host: Annotated[str, typer.Option(help="Address to listen on; JIT_HOST when left out.")] = "",
    port: Annotated[int, typer.Option(min=-1, max=65535, help="Port, 0 for a free one; JIT_PORT when left out.")] = -1,
) -> None:
    """Run the workbench, the HTTP API and the alert webhook until Ctrl-C; prints one-time sign-in links."""
    from terminal.screen import working

    with ExitStack() as starting:
        starting.enter_context(working("Starting the workbench"))
        from web.client import server_url
        from web.listening import listening

        found = local_settings()
        address = host or found.host, found.port if port < 0 else port
        if not server_url(found.server_file):
            listening(*address).close()
        from web.server import serve_workbench

        serve_workbench(found, *address, starting.close)


def _roles() -> list[str]:
    from store.accounts import ROLES

    return list(ROLES)


@GROUP.command("user", example="user carla --role buyer")
def user(
    name: str,
    role: Annotated[
        str, typer.Option(help="viewer, analyst, buyer, manager or admin", autocompletion=_roles)
    ] = "analyst",
    as_json: AsJson = False,
) -> None:
    """Add a user; prints the API key once."""
    from terminal.screen import working

    with working(f"Adding {name}", quiet=as_json):
        from graph.stores import open_operations

        with closing(open_operations(local_settings())) as operations:
            key = operations.add_user(name, role)
    report({"user": name, "role": role, "key": key}, as_json)


@GROUP.command("link", example="link carla")
def link(name: str, as_json: AsJson = False) -> None:
    """A fresh one-time sign-in link of a user, good for 15 minutes."""
    from terminal.screen import working

    with working("Making a link", quiet=as_json):
        from web.server import sign_in_link

        made = sign_in_link(local_settings(), name)
    report({"user": name, "link": made}, as_json)


@GROUP.command("one-person", example="one-person --off")
def one_person(
    off: Annotated[bool, typer.Option("--off", help="There are several people again.")] = False,
    given: Actor = "",
    as_json: AsJson = False,
) -> None:
    """Say that one person works here, who may sign their own edits up to the policy's limit; journalled."""
    from terminal.screen import working

    with working("Noting who works here", quiet=as_json):
        found = session().one_person(actor(given), not off)
    report(found, as_json)


@GROUP.command("doctor", example="doctor")
def doctor(as_json: AsJson = False) -> None:
    """Settings with their source, and whether database, ERP, model and clock answer."""
    from terminal.screen import working

    with working("Asking every part whether it answers", quiet=as_json):
        parts, sources = list(session().diagnose()), settings().sources()
    from terminal.reports import show_doctor

    if not printed({"settings": sources, "parts": parts}, as_json):
        show_doctor(sources, parts)
    if not all(part.ok for part in parts):
        raise typer.Exit(OutOfReach.exit_code)


@GROUP.command("eval", example="eval --quick --out report.html")
def evaluate(
    suite: Annotated[str, typer.Argument(help="Which suite.")] = "closed_loop",
    seeds: Annotated[int | None, typer.Option(min=1, max=50, help="How many worlds; 9, or 1 with --quick.")] = None,
    weeks: Annotated[int | None, typer.Option(min=4, max=260, help="Weeks played; 52, or 26 with --quick.")] = None,
    quick: Annotated[bool, typer.Option("--quick", help="One world for half a year.")] = False,
    out: Annotated[Path | None, typer.Option(help="The report; JIT_HOME/exports/eval-SUITE.html if left out.")] = None,
    as_json: AsJson = False,
) -> None:
    """Play our policy beside two baselines on a generated world; exits with 1 when a goal is missed."""
    from terminal.screen import screen, working

    with working("Loading the evaluation", quiet=as_json):
        from evals.progress import watched
        from evals.report import as_terminal, ready_page, write_page
        from evals.suites import SuiteSettings, known_suite, run_suite
        from store.private import tighten

    page = settings().home / "exports" / f"eval-{known_suite(suite)}.html"
    page = ready_page(out or page)
    with watched() as on_step:
        result = run_suite(suite, SuiteSettings.of(seeds, weeks, quick=quick), on_step)
    write_page(result, page)
    if out is None:
        tighten(settings().home)
    if not printed({**result.as_json(), "report": str(page)}, as_json):
        screen().print(as_terminal(result))
        typer.echo(f"Report: {page}")
    raise typer.Exit(0 if result.ok else 1)
