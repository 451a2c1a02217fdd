"""Bad input through the command: one clear message, exit code 2, and the last good dataset stays."""

import json
from pathlib import Path

import pytest
from jit_command import Jit

GOOD = {
    "items.csv": "item_id,description,unit_value,currency\nA,Bolt,2.0,USD\nB,Nut,1.0,USD\n",
    "suppliers.csv": "supplier_id,name,status\nS1,Alder,active\nS2,Birch,active\n",
    "offers.csv": (
        "item_id,supplier_id,unit_price,currency,moq,max_quantity,lead_time_days\n"
        "A,S1,2.0,USD,10,500,20\nB,S2,1.0,USD,5,,12\n"
    ),
    "demand.csv": "item_id,date,quantity\n"
    + "".join(f"A,2024-{month:02d}-01,{10 + month}\nB,2024-{month:02d}-01,{month}\n" for month in range(1, 13)),
    "stock.csv": "item_id,on_hand,as_of\nA,4,2024-12-31\nB,2,2024-12-31\n",
    "receipts.csv": (
        "order_id,item_id,supplier_id,quantity,order_date,receipt_date\nP1,A,S1,50,2024-01-05,2024-01-26\n"
    ),
}
OFFERS = GOOD["offers.csv"]
CASES: dict[str, tuple[dict[str, str | bytes], tuple[str, ...]]] = {
    "missing required column": (
        {"offers.csv": "item_id,supplier_id,unit_price,moq\nA,S1,2.0,10\n"},
        ("offers.csv, row 1, column lead_time_days", "missing", "expected", "Add the column"),
    ),
    "unknown supplier in an offer": (
        {"offers.csv": OFFERS.replace("B,S2,", "B,S9,")},
        ("offers.csv, row 3, column supplier_id", "'S9' is unknown", "expected", "Add S9 to suppliers.csv"),
    ),
    "negative quantity": (
        {"demand.csv": GOOD["demand.csv"].replace("2024-01-01,11", "2024-01-01,-11")},
        ("demand.csv, row 2, column quantity", "is negative", "expected", "Correct quantity"),
    ),
    "receipt before order": (
        {"receipts.csv": GOOD["receipts.csv"].replace("2024-01-26", "2023-12-26")},
        ("receipts.csv, row 2, column receipt_date", "before the order date 2024-01-05", "expected", "Correct"),
    ),
    "duplicate key": (
        {"items.csv": GOOD["items.csv"] + "A,Bolt again,2.0,USD\n"},
        ("items.csv, row 4, column item_id", "already in row 2", "expected", "Leave out one"),
    ),
    "not UTF-8": (
        {"suppliers.csv": "supplier_id,name,status\nS1,Alder,active\nS2,Bj\xf6rk,active\n".encode("latin-1")},
        ("suppliers.csv, row 3, column name", "is not UTF-8", "expected", "Save suppliers.csv as UTF-8"),
    ),
    "two currencies without a rate": (
        {"offers.csv": OFFERS.replace("B,S2,1.0,USD", "B,S2,1.0,EUR")},
        ("offers.csv, row 3, column currency", "EUR has no rate to USD", "expected", "rates.csv"),
    ),
    "MOQ above max": (
        {"offers.csv": OFFERS.replace("USD,10,500", "USD,900,500")},
        ("offers.csv, row 2, column moq", "MOQ 900 is above the max_quantity 500", "expected", "Lower moq"),
    ),
}


def write(folder: Path, changed: dict[str, str | bytes]) -> Path:
    folder.mkdir(exist_ok=True)
    for name, content in {**GOOD, **changed}.items():
        if isinstance(content, bytes):
            (folder / name).write_bytes(content)
        else:
            (folder / name).write_text(content, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def jit(tmp_path_factory: pytest.TempPathFactory) -> Jit:
    """A home whose active dataset is the good one."""
    place = tmp_path_factory.mktemp("bad_input")
    command = Jit(place / "home")
    done = command("import", write(place / "good", {}), "--as-of", "2024-12-31", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["version"].startswith("ds-1-")
    return command


@pytest.mark.parametrize("case", CASES)
def test_a_bad_file_gives_one_message_with_file_row_column_expectation_and_remedy(
    case: str, jit: Jit, tmp_path: Path
) -> None:
    changed, told = CASES[case]
    refused = jit("import", write(tmp_path / "bad", changed))
    assert refused.returncode == 2
    assert refused.stderr.startswith("Error JIT-100: ")
    assert refused.stderr.count("Error") == 1
    for part in (*told, "Nothing was imported."):
        assert part in refused.stderr
    assert "Traceback" not in refused.stderr + refused.stdout


def test_an_empty_folder_and_a_missing_one_are_refused_by_name(jit: Jit, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    for name, told in (("empty", "empty of canonical files"), ("absent", "does not exist")):
        refused = jit("import", tmp_path / name)
        assert refused.returncode == 2
        assert str(tmp_path / name) in refused.stderr
        assert told in refused.stderr
        assert "items.csv" in refused.stderr


def test_after_refused_imports_the_last_good_dataset_stays_active_and_plans(jit: Jit, tmp_path: Path) -> None:
    refused = jit("import", write(tmp_path / "bad", CASES["MOQ above max"][0]), "--json")
    assert refused.returncode == 2
    assert json.loads(refused.stdout)["error"]["code"] == "JIT-100"
    assert "active: ds-1-" in jit("doctor", "--json").stdout
    planned = jit("plan", "--json")
    assert planned.returncode == 0, planned.stderr
    plan = json.loads(planned.stdout)
    assert plan["run"]["dataset_version"].startswith("ds-1-")
    assert {outlook["item_id"] for outlook in plan["outlooks"]} == {"A", "B"}


def test_many_rejects_are_listed_by_file_with_row_and_remedy_and_all_can_be_read_later(
    jit: Jit, tmp_path: Path
) -> None:
    demand = GOOD["demand.csv"] + "".join(f"A,2024-02-{day:02d},-1\n" for day in range(2, 17))
    refused = jit("import", write(tmp_path / "bad", {"demand.csv": demand, "offers.csv": OFFERS + "C,S1,1,USD,1,,9\n"}))
    assert refused.returncode == 2
    shown = refused.stdout
    assert "16 rejected rows in 2 files" in shown
    assert shown.index("offers.csv") < shown.index("demand.csv")
    assert "row 4, item_id: the item 'C' is unknown; expected an item_id of items.csv" in " ".join(shown.split())
    command = next(line for line in shown.splitlines() if " rejects " in line)
    assert command.startswith("6 more:")
    import_id = command.rsplit(" ", 1)[1]
    kept = json.loads(jit("rejects", import_id, "--json").stdout)
    assert len(kept) == 16
    assert {row["file"] for row in kept} == {"offers.csv", "demand.csv"}
    assert all(row["remedy"] and row["expected"] for row in kept)
    assert jit("rejects", import_id).stdout.count("row ") >= 16


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("import", ".", "--as-of", "31.12.2024"), ("--as-of", "31.12.2024", "%Y-%m-%d")),
        (("plan", "A", "Z9"), ("no item Z9", "Items are for example A, B")),
        (("show", "run-nothing"), ("run-nothing", "`jit runs`")),
        (("journal", "run-nothing"), ("run-nothing", "`jit runs`")),
        (("decide", "ap-nothing", "approve"), ("ap-nothing", "`jit approvals`")),
        (("rollback", "ds-nothing"), ("ds-nothing",)),
        (("alert", "absent.json"), ("absent.json", "docs/alerts.md")),
        (("decide", "ap-nothing"), ("decision",)),
        (("plan", "--nonsense"), ("--nonsense", "jit plan --help")),
        (("user", "kim", "--role", "king"), ("'king' is no role", "viewer")),
    ],
)
def test_a_wrong_argument_is_named_with_what_would_be_right(
    jit: Jit, arguments: tuple[str, ...], told: tuple[str, ...]
) -> None:
    refused = jit(*arguments)
    assert refused.returncode == 2, refused.stderr
    assert refused.stderr.startswith("Error JIT-10")
    for part in told:
        assert part in refused.stderr


@pytest.mark.parametrize("arguments", [("plan", "Z9"), ("plan", "--nonsense")])
def test_with_json_a_refusal_is_one_document_on_standard_output(jit: Jit, arguments: tuple[str, ...]) -> None:
    refused = jit(*arguments, "--json")
    assert refused.returncode == 2
    assert refused.stderr == ""
    answer = json.loads(refused.stdout)["error"]
    assert answer["exit_code"] == 2
    assert answer["code"].startswith("JIT-10")
    assert answer["message"]
    assert answer["remedy"]


def test_without_a_dataset_each_command_says_what_to_do_first(tmp_path: Path) -> None:
    fresh = Jit(tmp_path / "home")
    for arguments in (("plan",), ("show",), ("explain", "A")):
        refused = fresh(*arguments)
        assert refused.returncode == 2, arguments
        assert "jit" in refused.stderr.splitlines()[1], arguments
    assert "jit plan" in fresh("approvals").stdout


@pytest.mark.parametrize("days", ["-5", "100000"])
def test_a_clock_is_moved_by_a_year_at_most_and_never_back(jit: Jit, days: str) -> None:
    ended = jit("observe", "--advance-days", days)
    assert ended.returncode == 2 and "--advance-days" in ended.stderr
