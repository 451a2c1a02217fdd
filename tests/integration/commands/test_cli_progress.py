"""While a command computes, the terminal says what; what a program reads is never touched by it."""

import json
import os
import pty
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest
from demo_home import demo_home
from jit_command import JIT, Jit
from loaded_command import loaded_command

from evals.worlds.demo import AS_OF, write_demo_world

COMMANDS = (
    (("plan", "I010"), "Pricing options (step 6 of 14)"),
    (("explain", "I018"), "Computing what else could be ordered of I018"),
    (("ask", "what is at risk?"), "Looking for the answer"),
    (("forecast", "I010"), "Reading the forecast of I010"),
    (("forecast", "--backtest"), "Forecasting again from earlier clocks"),
    (("journal", "--verify"), "Recomputing the hash of every row of the journal"),
    (("replay", "RUN"), "Computing RUN again from its snapshot"),
    (("decide", "APPROVAL", "approve"), "going on with its run"),
    (("observe",), "Reading back from the ERP"),
    (("doctor",), "Asking every part whether it answers"),
    (("import", "world", "--as-of", str(AS_OF)), "Importing world"),
)


@pytest.fixture(scope="module")
def jit(tmp_path_factory: pytest.TempPathFactory) -> Jit:
    """A home with a plan that waits, beside the folder that its data came from."""
    place = tmp_path_factory.mktemp("progress")
    write_demo_world(place / "world")
    return Jit(demo_home(place, planned=True))


def all_of(reader: int) -> bytes:
    """What is written to the other end until it is closed."""
    parts = list[bytes]()
    with closing(os.fdopen(reader, "rb", buffering=0)) as stream:
        try:
            while part := stream.read(65536):
                parts.append(part)
        except OSError:  # how a terminal ends
            pass
    return b"".join(parts)


def on_a_terminal(jit: Jit, *arguments: str) -> tuple[int, str, str]:
    """Exit code, standard output through a pipe, and what a terminal on standard error was sent."""
    terminal, piped = pty.openpty(), os.pipe()
    found = jit.environment(TERM="xterm", COLUMNS="120")
    with ThreadPoolExecutor(2) as listening:
        said, out = (listening.submit(all_of, reader) for reader in (terminal[0], piped[0]))
        running = loaded_command().start([str(JIT), *arguments], found, jit.home.parent, (piped[1], terminal[1]))
        os.close(terminal[1])
        os.close(piped[1])
        return running.wait(240), out.result().decode(), said.result().decode(errors="replace")


@pytest.fixture(scope="module")
def ids(jit: Jit) -> dict[str, str]:
    """The run and an order of it that waits, and goes on waiting when I010 is planned anew."""
    every = json.loads(jit("approvals", "--json").stdout)
    waiting = next(one for one in every if all(line["item_id"] != "I010" for line in one["lines"]))
    return {"RUN": waiting["run_id"], "APPROVAL": waiting["approval_id"]}


@pytest.mark.parametrize(("arguments", "told"), COMMANDS, ids=lambda part: part[0] if isinstance(part, tuple) else "")
def test_a_command_that_computes_says_what_on_the_terminal_and_nothing_of_it_in_the_document(
    jit: Jit, ids: dict[str, str], arguments: tuple[str, ...], told: str
) -> None:
    named = [ids.get(word, word) for word in arguments]
    code, output, shown = on_a_terminal(jit, *named, "--json")
    assert code == 0, output
    assert json.loads(output)
    text = told.replace("RUN", ids["RUN"])
    assert text in shown
    assert "0:00:0" in shown
    assert text not in output
    assert "\x1b" not in output


def test_a_pipe_gets_the_result_alone_also_without_json(jit: Jit) -> None:
    code, output, shown = on_a_terminal(jit, "runs")
    assert code == 0
    assert "Reading the latest runs" in shown
    assert output.startswith("run ")
    assert "\x1b" not in output
    assert "Reading" not in output


def test_where_nothing_is_a_terminal_nothing_is_told(jit: Jit) -> None:
    done = jit("explain", "I018", FORCE_COLOR="1")
    assert done.returncode == 0
    assert done.stderr == ""
    assert "Computing" not in done.stdout
