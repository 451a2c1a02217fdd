"""The demo's first screen: what needs a decision, for how much, why today, and what to type next."""

import json
import os
import re
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from jit_command import JIT, Jit

from terminal.figures import amount

SCREEN_LINES = 50
WIDTHS = ("80", "120")


@pytest.fixture(scope="module")
def homes(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Runs the demo once for each width, each in a home of its own."""

    @cache
    def ran(width: str) -> tuple[Jit, str]:
        jit = Jit(tmp_path_factory.mktemp("page") / "home")
        done = jit("demo", COLUMNS=width)
        assert done.returncode == 0, done.stderr
        assert done.stderr == ""
        return jit, done.stdout

    return ran


@pytest.mark.parametrize("width", WIDTHS)
def test_the_demo_fits_a_screen_and_leads_with_what_needs_a_decision(homes: Any, width: str) -> None:
    _, printed = homes(width)
    lines = printed.splitlines()
    rows = sum(max(-(-len(line) // int(width)), 1) for line in lines)
    assert rows <= SCREEN_LINES
    assert re.match(r"\d+ orders wait for your decision, worth ", lines[0])
    parts = ("orders wait", "  1. ", "  2. ", "  3. ", "What was found", "What to type next", " approve", " serve")
    places = [printed.index(part) for part in parts]
    assert places == sorted(places)
    assert " ".join(printed.split()).endswith("demo --full` shows every step.")


@pytest.mark.parametrize("width", WIDTHS)
def test_its_figures_are_those_of_the_stored_plan(homes: Any, width: str) -> None:
    jit, printed = homes(width)
    told = " ".join(printed.split())
    waiting = json.loads(jit("approvals", "--json").stdout)
    plan = json.loads(jit("show", "--json").stdout)
    value, currency = sum(one["value"] for one in waiting), plan["run"]["currency"]
    assert f"{len(waiting)} orders wait for your decision, worth {amount(value)} {currency}." in told
    named = {one["approval_id"]: one for one in waiting if f"{one['approval_id']} needs " in told}
    assert len(named) == 3
    for one in named.values():
        assert f"{one['supplier']}, {amount(one['value'])} {currency}: " in told
    assert f"{plan['run']['dispatched']} orders worth " in told


def test_the_document_holds_the_same_ranking_with_a_reason_for_each(
    homes: Any, tmp_path_factory: pytest.TempPathFactory
) -> None:
    _, printed = homes("120")
    told = " ".join(printed.split())
    done = Jit(tmp_path_factory.mktemp("page") / "home")("demo", "--json")
    assert done.stderr == ""
    answer = json.loads(done.stdout)
    decision = answer["decision"]
    waiting = [line for line in answer["plan"]["lines"] if line["status"] == "waiting"]
    assert f"{decision['orders']} orders wait for your decision, worth {amount(decision['value'])}" in told
    assert len(decision["first"]) == 3
    stakes = [matter["at_stake"] for matter in decision["first"]]
    assert stakes == sorted(stakes, reverse=True)
    assert min(stakes) > 0
    for place, matter in enumerate(decision["first"], 1):
        assert any(line["item_id"] == matter["item_id"] for line in waiting)
        assert f"{place}. {matter['supplier']}, {amount(matter['value'])} {matter['currency']}: " in told
        assert f"{matter['reason']} " in told
        assert re.search(r"\d", matter["reason"])
        assert re.search(rf"(cost|frees) {re.escape(amount(matter['at_stake']))} {matter['currency']}\.", told)


def test_the_readme_shows_what_the_demo_prints(tmp_path: Path) -> None:
    """Write anew what stands there with `COLUMNS=110 jit demo` when figures change."""
    found = {"COLUMNS": "110", "PATH": f"{JIT.parent}:{os.environ['PATH']}"}
    done = Jit(tmp_path / "home")("demo", **found)
    readme = (Path(__file__).parents[3] / "README.md").read_text(encoding="utf-8")
    (shown,) = re.findall(r"`make demo` ends with this.*?```\n(.*?)```", readme, flags=re.DOTALL)

    def without_ids(text: str) -> list[str]:
        return re.sub(r"\d+\.\d s;", "… s;", re.sub(r"ap-[0-9a-f]{12}", "ap-…", text)).splitlines()

    assert without_ids(done.stdout) == without_ids(shown)
