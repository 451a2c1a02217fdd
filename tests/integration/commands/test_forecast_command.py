"""`jit forecast` and `jit estimates`: figures, charts and files, versions and their choice, and what is refused."""

import json
import re
from pathlib import Path
from xml.etree import ElementTree

import pytest
from demo_home import demo_home
from jit_command import Jit

WIDEST = 110


@pytest.fixture(scope="module")
def jit(tmp_path_factory: pytest.TempPathFactory) -> Jit:
    """A home with the demo world imported and planned once."""
    return Jit(demo_home(tmp_path_factory.mktemp("forecast"), planned=True))


def told(jit: Jit, *arguments: str | Path, **more: str) -> str:
    done = jit(*arguments, **more)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_an_item_is_told_with_quantiles_lead_time_demand_accuracy_and_provenance(jit: Jit) -> None:
    view = json.loads(told(jit, "forecast", "I001", "--json"))
    printed = told(jit, "forecast", "I001")
    for part in ("Forecast, pack per week", "Demand while one waits, pack", "Accuracy", "Where it comes from"):
        assert part in printed
    for value in (view["pattern"], view["model"], view["dates"][0], *view["estimate"]["code_version"].split("+")):
        assert value in printed
    assert view["estimate"]["version"] in printed and view["estimate"]["dataset_version"] in printed
    assert len(view["dates"]) == len(view["quantiles"]["0.5"]) == 26
    lows, highs = view["quantiles"]["0.025"], view["quantiles"]["0.975"]
    assert all(low <= high for low, high in zip(lows, highs, strict=True))
    assert {one["role"] for one in view["lead_time_demand"]} == {"cheapest", "fastest"}


def test_a_plot_shows_history_bands_and_the_origin_within_the_width(jit: Jit) -> None:
    printed = told(jit, "forecast", "I001", "--plot")
    chart = printed[printed.index("Demand per week") : printed.index("Forecast, pack")]
    assert all(letter in chart for letter in "•━▓▒░┼")
    assert "2026-06-30" in chart
    narrow = told(jit, "forecast", "I001", "--plot", COLUMNS="80")
    for text, widest in ((printed, WIDEST), (narrow, 80)):
        wide = [line for line in text.splitlines() if len(line) > widest and "--backtest" not in line]
        assert wide == []


def test_the_forecast_is_written_as_picture_page_or_figures(jit: Jit, tmp_path: Path) -> None:
    for kind in ("png", "svg", "html", "json"):
        assert f"Written to {tmp_path}" in told(jit, "forecast", "I001", "--save", tmp_path / f"made.{kind}")
    assert (tmp_path / "made.png").read_bytes().startswith(b"\x89PNG")
    assert ElementTree.parse(tmp_path / "made.svg").getroot().tag.endswith("svg")  # noqa: S314 - our own file
    page = (tmp_path / "made.html").read_text()
    assert "<svg" in page and "http://" not in re.sub(r'xmlns(:\w+)?="[^"]*"', "", page)
    option = json.loads(re.search(r'id="chart">(.*?)</script>', page, re.DOTALL)[1])  # type: ignore[index]
    view = json.loads((tmp_path / "made.json").read_text())
    assert option == view["chart"]
    assert view["item_id"] == "I001"


def test_all_items_come_in_a_table_the_worst_accuracy_first(jit: Jit) -> None:
    made = json.loads(told(jit, "forecast", "--backtest", "--json"))
    rows, tested = made["forecasts"], made["backtest"]
    losses = [row["loss_to_naive"] for row in rows if row["loss_to_naive"] is not None]
    assert losses == sorted(losses, reverse=True) and len(losses) > 30
    overall = next(one for one in tested if one["group"] == "all")
    assert overall["forecasts"] == 4 * len(rows)
    assert 0 < overall["wql"] < overall["wql_naive"]
    printed = told(jit, "forecast")
    assert [line.split()[0] for line in printed.splitlines()[1:4]] == [row["item_id"] for row in rows[:3]]
    assert [line for line in printed.splitlines() if len(line) > WIDEST] == []
    worst = json.loads(told(jit, "forecast", rows[0]["item_id"], "--json"))
    assert worst["backtest"]["wql"] / worst["backtest"]["wql_naive"] == pytest.approx(rows[0]["loss_to_naive"])


def test_a_changed_seed_makes_a_version_and_the_former_one_can_be_planned_with_again(jit: Jit) -> None:
    former = json.loads(told(jit, "estimates", "--json"))[0]
    told(jit, "forecast", "I001", "--json", JIT_SEED="8")
    newest, before = json.loads(told(jit, "estimates", "--json"))[:2]
    assert before["version"] == former["version"] and newest["seed"] == 8
    assert "forecast.seed 7 → 8" in newest["differences"]
    listed = told(
        jit, "estimates", "activate", former["version"], "--actor", "ana", "--reason", "quieter", JIT_SEED="8"
    )
    assert f"The parameters of {former['version']} are held on to; chosen by ana: quieter." in " ".join(listed.split())
    again = json.loads(told(jit, "forecast", "I001", "--json", JIT_SEED="8"))
    assert again["estimate"]["version"] == former["version"] and again["estimate"]["held"]
    compared = json.loads(told(jit, "forecast", "I001", "--version", newest["version"], "--json"))
    assert compared["earlier"][0]["version"] == former["version"]
    told(jit, "estimates", "activate", "configured", "--actor", "ana", JIT_SEED="8")
    back = json.loads(told(jit, "estimates", "--json"))[0]
    assert (back["content_hash"], back["seed"], back["held"]) == (newest["content_hash"], 8, False)


@pytest.mark.parametrize(
    ("arguments", "message", "remedy"),
    [
        (("forecast", "I-001"), "There is no item I-001", "I001"),
        (("forecast", "gloves"), "There is no item gloves", "Did you mean"),
        (("forecast", "I001", "--site", "DC9"), "has no demand at site DC9", "DC1"),
        (("forecast", "I001", "--version", "est-9-none"), "no estimate version est-9-none", "jit estimates"),
        (("forecast", "I001", "--save", "chart.bmp"), "names no kind of file", ".png"),
        (("forecast", "--plot"), "are about one item", "jit forecast ITEM"),
        (("estimates", "activate"), "names no version", "activate VERSION"),
        (("estimates", "drop", "est-1"), "is not known", "activate VERSION"),
        (("estimates", "activate", "est-9-none"), "There is no estimate version est-9-none", "est-1-"),
    ],
)
def test_what_cannot_be_is_refused_with_a_remedy(
    jit: Jit, arguments: tuple[str, ...], message: str, remedy: str
) -> None:
    done = jit(*arguments)
    assert done.returncode == 2
    assert message in done.stderr and remedy in done.stderr
    assert done.stdout == ""


def test_an_empty_home_says_what_to_do_first(tmp_path: Path) -> None:
    empty = Jit(tmp_path / "home")
    for arguments in (("forecast",), ("forecast", "I001", "--plot"), ("estimates", "activate", "configured")):
        done = empty(*arguments)
        assert done.returncode == 2
        assert "Nothing has been imported yet." in done.stderr and "jit import FOLDER" in done.stderr
    assert "No estimate yet." in told(empty, "estimates")
    assert json.loads(told(empty, "estimates", "--json")) == []
