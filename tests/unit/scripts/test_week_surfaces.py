"""What the week checks of its surfaces can fail, and what it reads from their texts."""

import json
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from scripts.week.__main__ import main
from scripts.week.checks.findings import Failure, Finding
from scripts.week.checks.surface_checks import figures_agree, journal_whole, nothing_crashed, screens_full, served_well
from scripts.week.checks.surfaces import of_answers
from scripts.week.company.firm import Firm, Stuck
from scripts.week.company.office import Office
from scripts.week.company.page import TABS, number_after
from scripts.week.company.witness import Answered, Ran, Witness
from scripts.week.days import EVENTS, name_of, script
from scripts.week.living import Lived, Taken, take
from scripts.week.timetable import as_json, row_of, show_failures, show_table

ROWS = [{"seq": seq, "hash": f"h{seq}"} for seq in (1, 2, 3)]
WHOLE = {"ok": True, "reason": ""}
CRASH = 'Traceback (most recent call last):\n  File "x.py", line 1\nValueError: no'
FULL = {
    tab: "Waiting for a decision Order value 5 I0001 · Gloves Supply risks approved by ana Dataset versions " * 2
    for tab in TABS
}


def test_figures_that_agree_but_for_rounding_are_fine() -> None:
    assert figures_agree({"API": {"value": 12_345.4, "lines": 3.0}, "page": {"value": 12_345.0, "lines": 3.0}}) == []


@pytest.mark.parametrize("other", [12_347.0, 0.0, -1.0])
def test_a_total_that_differs_is_told_with_both_surfaces(other: float) -> None:
    (found,) = figures_agree({"API": {"value": 12_345.4}, "jit show": {"value": 12_345.4}, "page": {"value": other}})
    assert found.expected == "value is 12345.4 (API)"
    assert found.found == str({"page": other})


def test_a_count_that_differs_by_one_is_told() -> None:
    assert figures_agree({"API": {"lines": 30.0}, "page": {"lines": 31.0}})


def test_a_journal_that_only_grew_is_whole() -> None:
    known: dict[int, str] = {}
    assert journal_whole(known, ROWS[:2], WHOLE) == []
    assert journal_whole(known, ROWS, WHOLE) == []
    assert known == {1: "h1", 2: "h2", 3: "h3"}


def test_a_changed_a_missing_and_a_cut_row_and_a_chain_that_does_not_verify_are_told() -> None:
    known = {1: "h1", 2: "h2", 3: "h3"}
    changed = [*ROWS[:1], {"seq": 2, "hash": "other"}, *ROWS[2:]]
    assert "rows [2] differ" in journal_whole(dict(known), changed, WHOLE)[0].found
    assert "no row 2" in journal_whole(dict(known), [ROWS[0], ROWS[2]], WHOLE)[0].found
    assert "rows [3] differ" in journal_whole(dict(known), ROWS[:2], WHOLE)[0].found
    assert journal_whole({}, ROWS, {"ok": False, "reason": "row 2"})[0].found == "row 2"


def test_a_traceback_of_a_command_or_of_the_server_is_told(tmp_path: Path) -> None:
    log = tmp_path / "server.log"
    log.write_text("The workbench answers at http://127.0.0.1:1.\n")
    witness = Witness()
    witness.listen(log)
    assert nothing_crashed(witness.fresh()) == []
    with log.open("a") as said:
        said.write(CRASH)
    (found,) = nothing_crashed(witness.fresh())
    assert found.check == "no traceback" and found.found.endswith("ValueError: no")
    assert nothing_crashed(witness.fresh()) == []
    assert nothing_crashed(Witness([Ran(("plan",), 0, "", CRASH)]))


def test_a_command_that_ends_otherwise_and_an_error_in_the_browser_are_told() -> None:
    assert nothing_crashed(Witness([Ran(("plan",), 1, "", ""), Ran(("eval",), 1, "", "", (0, 1))]))[0].found == "1: "
    assert nothing_crashed(Witness(console=["mia: x is undefined"]))[0].found == "mia: x is undefined"


def test_an_answer_of_500_is_told_and_a_refusal_is_not() -> None:
    answers = [Answered("ben", "POST", "/api/x", status) for status in (200, 409, 403, 500, 503)]
    assert [one.found for one in served_well(Witness(answered=answers))] == ["500", "503"]


def test_full_screens_are_fine_and_an_empty_a_wrong_and_a_hollow_one_are_told() -> None:
    full = {
        **FULL,
        "Runs": "Runs and journal run-261130030321-e68fcb waiting cli by ana 12 lines, 116,812 USD, and more",
    }
    assert screens_full(full, TABS) == []
    assert "nothing" in screens_full({**full, "Plan": ""}, TABS)[0].found
    assert "Items" in screens_full({**full, "Items": "No item has an outlook yet. " * 5}, TABS)[0].expected
    assert "NaN" in screens_full({**full, "Data": full["Data"] + " 5 NaN"}, TABS)[0].found
    assert "Items" in screens_full({tab: text for tab, text in full.items() if tab != "Items"}, TABS)[0].expected


def test_the_page_and_the_chat_are_read_as_numbers() -> None:
    assert number_after("Order value", "Lines\n13\nOrder value\n116,812 USD\nDispatched\n8") == 116_812
    assert number_after("Lines", "Order lines\n2\nLines\n13") == 13
    assert number_after("Lines", "nothing") == -1
    answer = of_answers(
        "13 order lines worth 116,812 USD in this run:\n…", "ap-1: x\nap-2: y\n… and 33 more; name an item"
    )
    assert answer == {"orders of the plan that wait": 35.0, "order value": 116_812.0}


def test_every_day_has_its_morning_and_evening_and_the_week_begins_and_closes_once() -> None:
    names = [(day, name_of(step)) for day, step in script(9)]
    assert names[0] == (0, "found the company") and names[-1] == (9, "close the week")
    assert [day for day, name in names if name == "nightly plan"] == list(range(1, 10))
    assert [day for day, name in names if name == "look at everything"] == list(range(1, 10))
    assert [name for day, name in names if day == 8][2:5] == [name_of(step) for step in EVENTS[0]]


def test_a_failure_names_day_step_expected_and_found() -> None:
    told = str(Failure(2, "nightly plan", Finding("bought once", "one order", "two")))
    assert told == "day 2, nightly plan: bought once: expected one order; found two"


def a_stuck_step(office: Office) -> list[Finding]:
    raise Stuck("the door is shut")


def a_step_that_finds(office: Office) -> list[Finding]:
    return [Finding("clock", "Monday", "Sunday")]


def test_a_step_that_cannot_be_taken_is_told_and_the_next_one_is_taken(tmp_path: Path) -> None:
    office, lived, told = Office(Firm(tmp_path, 40, 7), None), Lived(), list[Taken]()
    assert not take(office, a_stuck_step, lived, told.append)
    assert take(office, a_step_that_finds, lived, told.append)
    assert [str(one) for one in lived.failures] == [
        "day 0, a stuck step: steps can be taken: expected it to be done; found Stuck: the door is shut",
        "day 0, a step that finds: clock: expected Monday; found Sunday",
    ]
    assert [row_of(one).partition("\n")[2].split(": ")[0] for one in told] == [
        "  FAILED steps can be taken",
        "  FAILED clock",
    ]


def test_a_failed_week_names_its_home_and_ends_in_one_json_object(tmp_path: Path) -> None:
    firm, lived = Firm(tmp_path, 40, 7), Lived(taken=[Taken(1, "nightly plan", 2.0, 0.5, ())])
    lived.failures.append(Failure(1, "nightly plan", Finding("clock", "Monday", "Sunday")))
    console = Console(file=StringIO(), width=200)
    show_table(lived, console)
    show_failures(lived, firm, console)
    text = console.file.getvalue()
    assert "nightly plan" in text and "Mon 29" in text
    assert f"1 failures. The home is kept: {tmp_path}" in text
    figures = json.loads(as_json(lived, firm, 1))
    assert figures["figures"]["failures"]["value"] == 1 and figures["figures"]["seconds"]["value"] == 2.5
    assert figures["failures"] == ["day 1, nightly plan: clock: expected Monday; found Sunday"]


@pytest.mark.parametrize("words", [["--items", "39"], ["--days", "0"]])
def test_too_small_a_company_and_no_day_are_refused(words: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["week", *words])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
