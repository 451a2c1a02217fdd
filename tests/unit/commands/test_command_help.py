"""Each command stands in a group and ends its help with an example that it takes."""

import shlex
from collections.abc import Mapping
from typing import Any

import pytest
import typer

import app
from commands.groups import EXAMPLE

DOOR: Any = typer.main.get_command(app.cli)
COMMANDS: Mapping[str, Any] = DOOR.commands
GROUPS = ["Plan", "Decide", "Ask", "Data", "Estimates", "Undo", "Keep and put back", "Run the service"]


def test_the_groups_are_those_that_a_buyer_knows_in_that_order() -> None:
    assert list(dict.fromkeys(command.rich_help_panel for command in COMMANDS.values())) == GROUPS
    assert len(COMMANDS) >= 23


@pytest.mark.parametrize("name", COMMANDS)
def test_the_help_ends_with_one_example_that_parses(name: str) -> None:
    command = COMMANDS[name]
    assert command.epilog.startswith(f"{EXAMPLE}jit {name}")
    _, named, *arguments = shlex.split(command.epilog.removeprefix(EXAMPLE))
    assert named == name
    context = command.make_context(name, list(arguments), parent=typer.Context(DOOR, info_name="jit"))
    assert not context.args
    for word in arguments:
        assert word.startswith("-") or any(word in str(value) for value in context.params.values()), word


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_says_in_its_first_line_what_it_does(name: str) -> None:
    assert COMMANDS[name].help.splitlines()[0].endswith(".")
    assert [one.name for one in COMMANDS[name].params if one.param_type_name == "option" and not one.help] == []
