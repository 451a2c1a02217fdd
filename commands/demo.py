"""Plan: the demo, from nothing to orders that wait for a decision."""

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from commands.datasets import imported
from commands.groups import Group
from commands.opening import actor, local_settings, printed, session
from commands.options import AsJson
from commands.planning import exit_by_status, planned
from tools.domain.errors import BadInput

if TYPE_CHECKING:
    from evals.worlds.demo import WorldSummary

GROUP = Group("Plan")


@GROUP.command("demo", example="demo --full")
def demo(
    folder: Annotated[Path | None, typer.Option(help="Keep the demo world's files here.")] = None,
    seed: Annotated[int, typer.Option(help="Seed of the demo world.")] = 7,
    full: Annotated[bool, typer.Option("--full", help="Every step, option, line and gate; else one screen.")] = False,
    as_json: AsJson = False,
) -> None:
    """Build the demo world, run one sourcing run, and show what needs a decision and how to go on."""
    began = time.perf_counter()
    everything = full and not as_json
    world = _world(folder or local_settings().home / "demo_world", seed, everything=everything, quiet=as_json)
    found = imported(world.folder, world.as_of, lenient=False, quiet=as_json, printing=everything)
    view = planned("First plan of the demo world", (), "demo", printing=everything, quiet=as_json)
    from terminal.demo.first_page import show_first_page
    from terminal.demo.matters import decision_of
    from terminal.demo.tour import show_tour
    from terminal.plans import show_plan

    waiting = [approval for approval in session().pending() if approval.run_id == view.run.run_id]
    decision = decision_of(view, waiting)
    took = time.perf_counter() - began
    told = {"folder": str(world.folder), "import": found, "plan": view, "decision": decision, "seconds": round(took, 2)}
    if not printed(told, as_json):
        if full:
            show_plan(view)
            show_tour(view, waiting, actor(""), took)
        else:
            show_first_page(view, waiting, decision, actor(""), took)
    exit_by_status(view)


def _world(folder: Path, seed: int, *, everything: bool, quiet: bool) -> "WorldSummary":
    from terminal.screen import say_whole, working

    with working("Building the demo world", quiet=quiet):
        from evals.worlds.demo import write_demo_world

        try:
            world = write_demo_world(folder, seed=seed)
        except OSError as error:
            raise BadInput(
                f"The folder {folder.absolute()} cannot be written: {error.strerror}.",
                remedy="Give another one with --folder, or leave it out.",
            ) from error
    if everything:
        say_whole(f"Demo world of seed {seed} written to {folder}.")
    return world
