"""What the command line prints: ids that can be copied, lines that fit, and one JSON document with --json."""

import json
import re
import subprocess
from collections.abc import Callable
from functools import cache

import pytest
from jit_command import JIT, Jit

WIDEST = 110
Told = Callable[..., str]


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> tuple[Jit, str]:
    """A home in which the demo ran, and all that it can print."""
    jit = Jit(tmp_path_factory.mktemp("output") / "home")
    done = jit("demo", "--full")
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return jit, done.stdout


@pytest.fixture(scope="module")
def told(demo: tuple[Jit, str]) -> Told:
    """What a command that only reads prints about the demo; each is run once for all tests."""
    jit, _ = demo

    @cache
    def printed(*arguments: str, **more: str) -> str:
        done = jit(*arguments, **more)
        assert done.returncode == 0, done.stderr
        return done.stdout

    return printed


def test_the_demo_shows_every_part_and_ends_with_how_to_go_on(demo: tuple[Jit, str]) -> None:
    _, printed = demo
    parts = (
        "Data quality",
        "Forecast demand and lead times",
        "Assess risk",
        "Options (USD)",
        "Order lines (USD)",
        "Gates:",
        "What was found",
        "What waits",
        "What was dispatched to the sandbox ERP",
        "make serve",
        " approve",
    )
    places = [printed.index(part) for part in parts]
    assert places == sorted(places)
    assert printed.rstrip().splitlines()[-1].startswith("Demo finished in ")


def test_parallel_steps_are_one_line_with_a_count(demo: tuple[Jit, str]) -> None:
    _, printed = demo
    talks = [line for line in printed.splitlines() if line.startswith("✓ Negotiate")]
    assert talks
    assert len(talks) <= 3
    assert any(" × " in line for line in talks)


def test_every_line_fits_the_width_and_ends_without_blanks(demo: tuple[Jit, str], told: Told) -> None:
    _, printed = demo
    for text in (printed, told("approvals"), told("explain", "I001"), told("runs")):
        wide = [line for line in text.splitlines() if len(line) > WIDEST and "jit" not in line]
        assert wide == []
        assert [line for line in text.splitlines() if line != line.rstrip()] == []


def test_a_narrow_terminal_gets_shorter_lines_and_whole_ids(told: Told) -> None:
    ids = [approval["approval_id"] for approval in json.loads(told("approvals", "--json"))]
    assert ids
    printed = told("approvals", COLUMNS="80")
    assert all(f"decide {approval_id} approve" in printed for approval_id in ids)
    paragraphs = [line for line in printed.splitlines() if "decide" not in line]
    assert max(map(len, paragraphs)) <= 80


def test_approvals_say_who_must_sign_and_why(told: Told) -> None:
    printed = " ".join(told("approvals").split())
    for approval in json.loads(told("approvals", "--json")):
        assert f"{approval['approval_id']} {approval['supplier']}" in printed
        assert all(reason in printed for reason in approval["reasons"])
    assert "needs a buyer or manager" in printed and "other than" not in printed


def test_each_rule_of_the_gates_is_shown_once_with_its_count(demo: tuple[Jit, str], told: Told) -> None:
    _, printed = demo
    verdicts = json.loads(told("show", "--json"))["verdicts"]
    fired = {verdict["rule"] for verdict in verdicts if verdict["effect"] != "allow"}
    assert fired
    shown = printed[printed.index("Gates:") :].splitlines()
    headings = [line.split() for line in shown if line.startswith(("denied ", "to be signed ", "warned "))]
    for rule in fired:
        effects = {verdict["effect"] for verdict in verdicts if verdict["rule"] == rule}
        assert sum(rule in words for words in headings) == len(effects), rule


def test_every_order_line_is_explained_with_formula_and_figures(told: Told) -> None:
    lines = json.loads(told("show", "--json"))["lines"]
    line = lines[0]
    printed = " ".join(told("explain", line["item_id"]).split())
    assert " ".join(line["formula"].split()) in printed
    assert line["line_id"] in printed
    assert len(line["figures"]) >= 3
    assert f"{line['quantity']:,.0f} {line['uom']} from {line['supplier']}" in printed
    assert line["sentence"] in printed and all(reason in printed for reason in line["reasons"])
    everything = " ".join(told("show", "--all").split())
    assert all(one["sentence"] in everything for one in lines if one["sentence"])
    assert " against level " not in everything, "the mathematics are told where they are asked for"
    assert " against level " in printed


def test_the_timeline_has_a_line_for_every_row_and_folds_only_neighbours(told: Told) -> None:
    rows = json.loads(told("journal", "--json"))
    every = [
        line for line in told("journal", "--all", COLUMNS="400").splitlines() if line.strip().split(" ")[0].isdigit()
    ]
    assert [int(line.split()[0]) for line in every] == [row["seq"] for row in rows]
    printed = told("journal")
    assert "__start__" not in printed
    assert "Send(" not in printed
    assert "waits for a person" in printed
    assert re.search(r"limit prices → negotiate × \d+, in parallel", printed)


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("ask", "what is at risk?"), 0),
        (("journal", "--verify"), 0),
        (("rejects",), 0),
        (("explain", "nothing-of-this-name"), 2),
    ],
)
def test_with_json_standard_output_is_one_document(
    demo: tuple[Jit, str], arguments: tuple[str, ...], code: int
) -> None:
    jit, _ = demo
    done = jit(*arguments, "--json")
    answer = json.loads(done.stdout)
    assert done.stderr == ""
    assert done.returncode == code
    assert ("error" in answer) == (code != 0)


def test_a_reader_that_leaves_early_causes_no_traceback(demo: tuple[Jit, str]) -> None:
    jit, _ = demo
    for arguments in ("journal --all", "journal --json"):
        piped = subprocess.run(
            ["bash", "-c", f"'{JIT}' {arguments} | head -1"],
            env=jit.environment(),
            cwd=jit.home.parent,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert piped.stderr == ""
        assert len(piped.stdout.splitlines()) == 1


def test_deciding_takes_an_edit_by_item_and_refuses_a_second_decision(demo: tuple[Jit, str]) -> None:
    jit, _ = demo
    waiting = json.loads(jit("approvals", "--json").stdout)
    approval = next(one for one in waiting if one["lines"][0]["intent"] == "place")
    name, line = approval["approval_id"], approval["lines"][0]
    malformed = jit("decide", name, "edit", "--edit", f"{line['item_id']}=many", "--actor", "bo")
    assert malformed.returncode == 2
    assert f"{line['item_id']}=240" in malformed.stderr
    decided = jit("decide", name, "reject", "--reason", "no longer needed", "--actor", "bo")
    assert decided.returncode == 0, decided.stderr
    assert f"{name} rejected by bo" in decided.stdout
    again = jit("decide", name, "approve", "--actor", "bo")
    assert again.returncode == 1
    assert again.stderr.startswith(f"Error JIT-200: Approval {name} is already rejected by bo.")
    other = next(one for one in waiting if one != approval and one["lines"][0]["intent"] == "place")
    changed = other["lines"][0]
    more = changed["quantity"] + changed["figures"]["order_multiple"]
    edited = jit(
        *("decide", other["approval_id"], "edit", "--edit", f"{changed['item_id']}={more:.0f}"),
        *("--actor", "bo", "--json"),
    )
    assert edited.returncode == 0, edited.stdout
    assert json.loads(edited.stdout)["status"] == "edited"
    assert "other than bo" in " ".join(jit("approvals").stdout.split())
