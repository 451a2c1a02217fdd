"""docs/architecture.md against the code: every room is named, and an order line's way leads through real functions."""

import importlib
import inspect
import re
import tomllib
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
SHIPPED = [name.rstrip("*") for name in PROJECT["tool"]["setuptools"]["packages"]["find"]["include"]]
NAME = re.compile(r"`(\w+(?:\.\w+)+)`")
MOST_LINES = 130


def rooms(*packages: str) -> list[str]:
    """Every folder with Python files under these packages."""
    files = [file for package in packages for file in (ROOT / package).rglob("*.py")]
    return sorted({file.parent.relative_to(ROOT).as_posix() for file in files})


def unnamed(found: Sequence[str], page: str) -> list[str]:
    return [room for room in found if f"`{room}`" not in page]


def steps(page: str) -> list[tuple[str, str]]:
    """Rows of the table of the way: the step, and the functions of it."""
    table = page.partition("\n## The way of one order line\n")[2]
    rows = [line.strip("|").split("|") for line in table.splitlines() if line.startswith("|")][2:]
    return [(step.strip(), functions.strip()) for step, functions in rows]


def calls(page: str) -> list[tuple[str, str]]:
    """Neighbours that an arrow joins."""
    chains = [chain for _, functions in steps(page) for chain in functions.split(";")]
    return [pair for chain in chains for pair in pairwise(NAME.findall(chain))]


def module_of(name: str) -> tuple[ModuleType, list[str]]:
    """The module that a dotted name begins with, and what is named in it."""
    parts = name.split(".")
    for length in range(len(parts) - 1, 0, -1):
        path = ROOT.joinpath(*parts[:length])
        if path.with_suffix(".py").is_file() or (path / "__init__.py").is_file():
            return importlib.import_module(".".join(parts[:length])), parts[length:]
    raise LookupError(f"{name}: there is no such module")


def function_of(name: str) -> object:
    """The function or method of a dotted name. LookupError for one that is none."""
    module, attributes = module_of(name)
    found: object = module
    for attribute in attributes:
        if not hasattr(found, attribute):
            raise LookupError(f"{name}: there is no {attribute}")
        found = getattr(found, attribute)
    if not inspect.isfunction(found) or found.__module__ != module.__name__:
        raise LookupError(f"{name} is no function of that module")
    return found


def names_it(caller: str, called: str) -> bool:
    return re.search(rf"\b{called.rpartition('.')[2]}\b", inspect.getsource(module_of(caller)[0])) is not None


FUNCTIONS = sorted(set(NAME.findall("\n".join(functions for _, functions in steps(PAGE)))))


def test_every_room_of_the_packages_is_named() -> None:
    found = rooms(*SHIPPED, "benchmarks", "scripts")
    assert {"tools", "graph/run", "tools/ordering/schedules/exact", "web/pages/tabs"} <= set(found)
    assert unnamed([room for room in found if room not in ("benchmarks", "scripts")], PAGE) == []


def test_every_folder_that_is_named_is_there() -> None:
    named = set(re.findall(rf"`((?:{'|'.join([*SHIPPED, 'benchmarks', 'scripts', 'tests'])})(?:/\w+)*)`", PAGE))
    assert {folder for folder in named if not (ROOT / folder).is_dir()} == set()


def test_the_floors_are_those_of_the_contract() -> None:
    contract = next(one for one in PROJECT["tool"]["importlinter"]["contracts"] if one["type"] == "layers")
    picture = re.split(r"\n## ", PAGE)[1].split("```")[1]
    floors = [line for line in picture.splitlines() if line.strip() and "──" not in line]
    assert len(floors) == len(contract["layers"])
    for floor, layer in zip(floors, contract["layers"], strict=True):
        assert [one for one in layer.split(" | ") if not re.search(rf"\b{one}\b", floor)] == []


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_function_on_the_way_exists(name: str) -> None:
    assert function_of(name)


@pytest.mark.parametrize(("caller", "called"), calls(PAGE))
def test_an_arrow_leads_to_what_is_named_there(caller: str, called: str) -> None:
    assert names_it(caller, called)


def test_every_step_of_the_way_names_its_function() -> None:
    assert len(steps(PAGE)) > 30
    assert [step for step, functions in steps(PAGE) if not NAME.search(functions)] == []


def test_the_page_stays_short() -> None:
    assert len(PAGE.splitlines()) <= MOST_LINES


@pytest.mark.parametrize(
    "wrong",
    [
        "graph.run.gates.gate_line",
        "graph.session.LocalSession.begin",
        "graph.nowhere.decide",
        "graph.run.gates.MAX_ROUNDS",
        "graph.run.gates.evaluate",
    ],
)
def test_a_wrong_name_is_found(wrong: str) -> None:
    with pytest.raises(LookupError):
        function_of(wrong)


def test_a_forgotten_room_and_a_wrong_arrow_are_found() -> None:
    assert unnamed(["graph/run", "graph/attic"], PAGE) == ["graph/attic"]
    assert not names_it("graph.run.gates.gate_lines", "erp.outbox.Outbox.drain")
