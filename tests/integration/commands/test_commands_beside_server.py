"""Every command of `jit` while a server owns the home: it goes through the server, or says why it does not."""

import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import typer
from demo_home import demo_home, settings_of
from jit_command import Jit
from serving import Served, served

from app import cli
from evals.worlds.demo import write_demo_world
from store.operations import Operations


@dataclass(frozen=True)
class Case:
    """A command in its normal form, and how it ends. `{waiting}` and the like are filled in from the home."""

    arguments: tuple[str, ...] = ()
    codes: tuple[int, ...] = (0,)
    says: str = ""
    as_json: bool = True


CASES: Mapping[str, Case] = {
    "approvals": Case(),
    "decisions": Case(("--item", "I010")),
    "decide": Case(("{waiting}", "approve", "--actor", "bob")),
    "withdraw": Case(("{approved}", "--actor", "bob")),
    "alert": Case(("{event}", "--actor", "ana")),
    "ask": Case(("What is at risk?",)),
    "backtest": Case(),
    "backup": Case(),
    "cancel": Case(codes=(1,), says="No run computes just now", as_json=False),
    "datasets": Case(),
    "demo": Case(("--folder", "{folder}")),
    "doctor": Case(codes=(0, 3)),
    "estimates": Case(),
    "eval": Case(("--quick", "--weeks", "4"), codes=(0, 1)),
    "explain": Case(("I010",)),
    "forecast": Case(("I010",)),
    "halt": Case(("--off", "--actor", "bob")),
    "import": Case(("{world}", "--as-of", "2026-06-30")),
    "journal": Case(("--verify",)),
    "lead-times": Case(),
    "link": Case(("bob",)),
    "observe": Case(),
    "one-person": Case(("--off", "--actor", "bob")),
    "plan": Case(("I010",)),
    "rejects": Case(),
    "reconsider": Case(("{rejected}", "--actor", "bob")),
    "replay": Case(("{run}",)),
    "restore": Case(("{event}",), codes=(1,), says="A server owns this home", as_json=False),
    "rollback": Case(("{dataset}",)),
    "runs": Case(),
    "serve": Case(codes=(1,), says="runs already", as_json=False),
    "show": Case(),
    "start-afresh": Case(
        ("warehouse", "--reason", "lost", "--yes"), codes=(1,), says="A server owns this home", as_json=False
    ),
    "user": Case(("carol",)),
}


def commands() -> list[str]:
    """Names of every command of the program."""
    return sorted(typer.main.get_command(cli).commands)  # type: ignore[attr-defined] # the program is a group


@pytest.fixture(scope="module")
def beside(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Jit, Served, dict[str, str]]]:
    """A home that a server owns, the command in it, and what the cases name."""
    folder = tmp_path_factory.mktemp("beside")
    home = Path(shutil.copytree(demo_home(folder, planned=True), folder / "served"))
    with closing(Operations(settings_of(home).operations_url)) as operations:
        operations.add_user("bob", "manager")
    write_demo_world(folder / "world")
    event = {
        "specversion": "1.0",
        "id": "by-hand-1",
        "source": "phone",
        "type": "supplier.alert",
        "data": {"kind": "delay", "node_id": "S05", "delay_days": 30},
    }
    (folder / "event.json").write_text(json.dumps(event))
    with served(home, folder / "server.log") as server:
        first = next(one for one in server.get("/api/approvals") if one["lines"][0]["intent"] == "place")
        names = {
            "waiting": first["approval_id"],
            "run": first["run_id"],
            "dataset": server.get("/api/datasets")[0]["version"],
            "event": str(folder / "event.json"),
            "folder": str(folder / "again"),
            "world": str(folder / "world"),
        }
        yield Jit(home, patience_seconds=600.0), server, names


def decided(server: Served, how: str) -> str:
    """An order decided just now: an import starts the sandbox over, and the orders that stand in it end."""
    one = next(one for one in server.get("/api/approvals") if one["lines"][0]["intent"] == "place")
    decision = {"decision": how, "actor": "bob", "content_hash": one["content_hash"]}
    server.http.post(f"/api/approvals/{one['approval_id']}/decide", json=decision).raise_for_status()
    return str(one["approval_id"])


def test_no_command_is_forgotten_here() -> None:
    assert set(commands()) <= set(CASES)


@pytest.mark.parametrize("name", sorted(commands(), key=[*CASES, *commands()].index))
def test_a_command_works_beside_a_server(beside: tuple[Jit, Served, dict[str, str]], name: str) -> None:
    jit, server, names = beside
    case = CASES[name]
    named = dict(names)
    for status, how in (("approved", "approve"), ("rejected", "reject")):
        if f"{{{status}}}" in case.arguments:
            named[status] = decided(server, how)
    arguments = [argument.format(**named) for argument in case.arguments]
    ended = jit(name, *arguments, *(["--json"] if case.as_json else []))
    assert ended.returncode in case.codes, f"{ended.stdout}\n{ended.stderr}"
    assert case.says in ended.stdout + ended.stderr
    assert not case.as_json or not isinstance(_document(ended.stdout).get("error"), Mapping)
    assert server.process.poll() is None


def _document(printed: str) -> Mapping[str, Any]:
    document = json.loads(printed)
    return document if isinstance(document, dict) else {}


def test_an_alert_by_hand_is_planned_by_the_server_and_carries_the_name_of_its_giver(
    beside: tuple[Jit, Served, dict[str, str]], tmp_path: Path
) -> None:
    jit, server, names = beside
    event = {**json.loads(Path(names["event"]).read_text()), "id": "by-hand-2"}
    (tmp_path / "event.json").write_text(json.dumps(event))
    ended = jit("alert", tmp_path / "event.json", "--actor", "ana", "--json")
    told = json.loads(ended.stdout)
    assert (told["status"], told["source"]) == ("done", "by hand")
    assert server.get(f"/api/runs/{told['run_id']}")["run"]["trigger"]["actor"] == "ana"
    given = [row for row in server.get("/api/journal", limit=5000) if row["event"] == "alert"]
    assert ("ana", "by-hand-2") in [(row["actor"], row["payload"]["message_id"]) for row in given]
