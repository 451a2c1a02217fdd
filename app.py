"""The command line `jit`. Commands take --json; they exit with 0 done, 1 check failed, 2 bad input, 3 out of reach."""

from typing import Annotated

import typer

from commands import asking, datasets, deciding, demo, estimates, opening, planning, safekeeping, service, undoing
from commands.nearest import Commands
from terminal.failures import run as run_to_exit

cli = typer.Typer(
    name="jit",
    cls=Commands,
    help="Replans purchasing in seconds: start with `jit demo`, or `jit import FOLDER` and `jit plan`.",
    epilog="Exit codes: 0 done, 1 a check or goal not met, or a crash, 2 bad input, 3 a part out of reach, "
    "130 Ctrl-C. Errors go to standard error; with --json standard output holds one JSON document, for an error "
    '{"error": {code, message, remedy, context, exit_code}}. JIT_DEBUG=1 shows the traceback of a crash.',
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
GROUPS = (demo, planning, deciding, asking, datasets, estimates, undoing, safekeeping, service)
for module in GROUPS:
    module.GROUP.join(cli)


def _tell_version(asked: bool) -> None:
    if asked:
        from importlib.metadata import version

        typer.echo(f"jit {version('jit-sourcing')}")
        raise typer.Exit


@cli.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=_tell_version, is_eager=True, help="Tell the version and end.")
    ] = False,
) -> None:
    """Options that stand before a command."""
    del version


def main() -> None:
    """Run the command line and exit; see `terminal.failures` for what each way of ending prints."""
    run_to_exit(cli, opening.close)


if __name__ == "__main__":
    main()
