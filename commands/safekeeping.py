"""Keep and put back: a backup of the whole home, and what to do when a database is gone."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from commands.groups import Group
from commands.opening import actor, local_settings, printed, session, settings
from commands.options import Actor, AsJson
from tools.domain.errors import BadInput, Conflict

GROUP = Group("Keep and put back")


@GROUP.command("backup", example="backup /media/backups/monday.tar.gz")
def backup(
    file: Annotated[Path | None, typer.Argument(help="A new file; one in JIT_HOME/backups when left out.")] = None,
    given: Actor = "",
    as_json: AsJson = False,
) -> None:
    """Copy every database of the home, as of one moment, into one file; people and alerts go on meanwhile."""
    from terminal.screen import say_whole, working

    with working("Backing the home up", quiet=as_json) as tell:
        made = session().backup(str(file.absolute()) if file else "", actor=actor(given), tell=tell)
    if not printed(made, as_json):
        from terminal.safekeeping import backup_line

        say_whole(backup_line(made))


@GROUP.command("restore", example="restore .jit/backups/jit-20260701-180000.tar.gz")
def restore(
    file: Annotated[Path, typer.Argument(help="What `jit backup` made, or a folder JIT_HOME/replaced-….")],
    given: Actor = "",
    as_json: AsJson = False,
) -> None:
    """Put a backup back in the place of the home's databases; what is there is kept aside. Stop the server first."""
    from terminal.screen import say_whole, working

    with working(f"Restoring {file}", quiet=as_json) as tell:
        _no_server("restored")
        from graph.upkeep.restoring import restore as put_back

        done = put_back(local_settings(), file, actor(given), tell)
    if not printed(done, as_json):
        from terminal.safekeeping import restore_line

        say_whole(restore_line(done))


def _parts() -> list[str]:
    from store.audit.belonging import Part

    return [part.value for part in Part]


@GROUP.command("start-afresh", example="start-afresh operations --reason 'the disk was lost'")
def start_afresh(
    part: Annotated[str, typer.Argument(help="operations, warehouse or sandbox-erp", autocompletion=_parts)],
    reason: Annotated[str, typer.Option(help="Why; kept in the journal.")] = "",
    yes: Annotated[bool, typer.Option("--yes", help="Give up what it held without being asked.")] = False,
    given: Actor = "",
    as_json: AsJson = False,
) -> None:
    """Give up what a database of the home held and begin it anew, where no backup of it is left."""
    from terminal.screen import say_whole, working

    with working(f"Looking at the {part}", quiet=as_json):
        from store.audit.belonging import Part

        if part not in _parts():
            raise BadInput(f"There is no database {part}.", remedy=f"Name one of {', '.join(_parts())}.")
        _no_server("started afresh")
        from graph.upkeep.starting_afresh import LOST
        from graph.upkeep.starting_afresh import start_afresh as begin_anew
    _agreed(part, LOST[Part(part)], yes)
    with working(f"Starting the {part} afresh", quiet=as_json):
        done = begin_anew(local_settings(), Part(part), actor(given), reason)
    if not printed(done, as_json):
        from terminal.safekeeping import afresh_line

        say_whole(afresh_line(done))


def _agreed(part: str, lost: str, yes: bool) -> None:
    """BadInput unless the person says so: by `--yes`, or by the name of the database."""
    if yes:
        return
    told = f"Start {part} afresh: {lost} The old files are kept aside."
    if not sys.stdin.isatty():
        raise BadInput(told, remedy="Give --yes to do so.")
    typer.echo(told, err=True)
    if typer.prompt(f"Type {part} to go on", default="", show_default=False, err=True) != part:
        raise BadInput("Nothing was done.", remedy=f"Type {part}, or give --yes.")


def _no_server(done: str) -> None:
    file = settings().server_file
    if not file.exists():
        return
    from web.client import find_server

    running = find_server(file)
    if running is not None:
        running.close()
        raise Conflict(f"A server owns this home; it cannot be {done} meanwhile.", remedy="Stop it, and try again.")
