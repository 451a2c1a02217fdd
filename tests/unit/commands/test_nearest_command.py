"""A misspelt command leads to the one that was meant."""

import pytest
import typer

import app
from commands.nearest import nearest, unknown

KNOWN = tuple(getattr(typer.main.get_command(app.cli), "commands", {}))


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("plna", "plan"),
        ("explian", "explain"),
        ("forcast", "forecast"),
        ("Approvals", "approvals"),
        ("approve", "approvals"),
        ("lead", "lead-times"),
        ("lead_times", "lead-times"),
        ("est", "estimates"),
        ("xyzzy", ""),
        ("", ""),
    ],
)
def test_the_nearest_command_is_the_one_that_begins_so_or_is_most_alike(typed: str, meant: str) -> None:
    assert nearest(typed, KNOWN) == meant


def test_without_a_near_command_the_way_to_all_of_them_is_told() -> None:
    assert unknown("xyzzy", KNOWN).remedy == "All commands: `jit --help`."
    assert unknown("plna", KNOWN).remedy.startswith("Did you mean `jit plan`?")
