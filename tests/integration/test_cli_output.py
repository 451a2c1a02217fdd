"""What the command line prints: ids that can be copied, lines that fit, and one JSON document with --json."""

import json
import re
import subprocess

import pytest
from jit_command import JIT, Jit

WIDEST = 110


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> tuple[Jit, str]:
    """A home in which the demo ran, and what it printed."""
    jit = Jit(tmp_path_factory.mktemp("output") / "home")
    done = jit("demo")
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return jit, done.stdout


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


def test_every_line_fits_the_width_and_ends_without_blanks(demo: tuple[Jit, str]) -> None:
    jit, printed = demo
    for text in (printed, jit("approvals").stdout, jit("explain", "I001").stdout, jit("runs").stdout):
        wide = [line for line in text.splitlines() if len(line) > WIDEST and "jit" not in line]
        assert wide == []


def test_a_narrow_terminal_gets_shorter_lines_and_whole_ids(demo: tuple[Jit, str]) -> None:
    jit, _ = demo
    ids = [approval["approval_id"] for approval in json.loads(jit("approvals", "--json").stdout)]
    assert ids
    printed = jit("approvals", COLUMNS="80").stdout
    assert all(f"decide {approval_id} approve" in printed for approval_id in ids)
    paragraphs = [line for line in printed.splitlines() if "decide" not in line]
    assert max(map(len, paragraphs)) <= 80


def test_approvals_say_who_must_sign_and_why(demo: tuple[Jit, str]) -> None:
    jit, _ = demo
    waiting = json.loads(jit("approvals", "--json").stdout)
    printed = " ".join(jit("approvals").stdout.split())
    for approval in waiting:
        assert f"{approval['approval_id']} {approval['supplier']}" in printed
        assert all(reason in printed for reason in approval["reasons"])
    assert "other than demo" in printed


def test_each_rule_of_the_gates_is_shown_once_with_its_count(demo: tuple[Jit, str]) -> None:
    jit, printed = demo
    plan = json.loads(jit("show", "--json").stdout)
    fired = {verdict["rule"] for verdict in plan["verdicts"] if verdict["effect"] != "allow"}
    gates = printed[printed.index("Gates:") :]
    for rule in fired:
        headings = [
            line
            for line in gates.splitlines()
            if line.startswith(("denied ", "to be signed ", "warned ")) and rule in line
        ]
        assert len(headings) == len({v["effect"] for v in plan["verdicts"] if v["rule"] == rule}), rule


def test_every_order_line_is_explained_with_formula_and_figures(demo: tuple[Jit, str]) -> None:
    jit, _ = demo
    line = json.loads(jit("show", "--json").stdout)["lines"][0]
    printed = " ".join(jit("explain", line["item_id"]).stdout.split())
    assert " ".join(line["formula"].split()) in printed
    assert line["line_id"] in printed
    assert len(line["figures"]) >= 3
    assert f"{line['quantity']:,.0f} {line['uom']} from {line['supplier']}" in printed
    everything = jit("show", "--all").stdout
    assert everything.count(" against level ") >= sum(1 for one in [line] if "reorder_point" in one["figures"])


def test_the_timeline_has_a_line_for_every_row_and_folds_only_neighbours(demo: tuple[Jit, str]) -> None:
    jit, _ = demo
    rows = json.loads(jit("journal", "--json").stdout)
    every = [line for line in jit("journal", "--all").stdout.splitlines() if line.strip().split(" ")[0].isdigit()]
    assert len(every) == len(rows)
    assert [int(line.split()[0]) for line in every] == [row["seq"] for row in rows]
    printed = jit("journal").stdout
    assert "__start__" not in printed
    assert "Send(" not in printed
    assert "waits for a person" in printed
    assert re.search(r"choose plan → negotiate × \d+, in parallel", printed)


@pytest.mark.parametrize(
    "arguments",
    [
        ("runs",),
        ("explain", "I001"),
        ("ask", "what is at risk?"),
        ("journal", "--verify"),
        ("rejects",),
        ("explain", "nothing-of-this-name"),
    ],
)
def test_with_json_standard_output_is_one_document(demo: tuple[Jit, str], arguments: tuple[str, ...]) -> None:
    jit, _ = demo
    done = jit(*arguments, "--json")
    answer = json.loads(done.stdout)
    assert done.stderr == ""
    assert done.returncode == (2 if isinstance(answer, dict) and "error" in answer else 0)


def test_a_reader_that_leaves_early_causes_no_traceback(demo: tuple[Jit, str]) -> None:
    jit, _ = demo
    for arguments in ("journal --all", "journal --json", "show --all"):
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
    for wrong in (line["item_id"], f"{line['item_id']}=many", "=3"):
        malformed = jit("decide", name, "edit", "--edit", wrong, "--actor", "bo")
        assert malformed.returncode == 2
        assert f"--edit {wrong!r} is not ITEM=QUANTITY" in malformed.stderr
        assert f"{line['item_id']}=240" in malformed.stderr
    decided = jit("decide", name, "reject", "--reason", "no longer needed", "--actor", "bo")
    assert decided.returncode == 0, decided.stderr
    assert f"{name} rejected by bo" in decided.stdout
    again = jit("decide", name, "approve", "--actor", "bo")
    assert again.returncode == 1
    assert again.stderr.startswith(f"Error JIT-200: Approval {name} is already rejected by bo.")
    other = next(one for one in json.loads(jit("approvals", "--json").stdout) if one["lines"][0]["intent"] == "place")
    changed = other["lines"][0]
    more = changed["quantity"] + changed["figures"]["order_multiple"]
    edited = jit(
        *("decide", other["approval_id"], "edit", "--edit", f"{changed['item_id']}={more:.0f}"),
        *("--actor", "bo", "--json"),
    )
    assert edited.returncode == 0, edited.stdout
    assert json.loads(edited.stdout)["status"] == "edited"
