"""What a suite reports: comparisons, goals, the terminal's table and the page."""

import json
import re
from collections.abc import Sequence
from dataclasses import replace
from html import unescape
from html.parser import HTMLParser
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from evals.report import as_page, as_terminal, write_page
from evals.results import (
    Comparison,
    CurvePoint,
    Played,
    SuiteResult,
    at_fill,
    change_percent,
    compare,
    curve_of,
    goals_of,
    means_of,
)
from evals.scorers import BY_KEY, SCORERS
from evals.suites import SUITES, SuiteSettings, run_suite
from tools.domain.errors import BadInput

CURVE = (CurvePoint(0.0, 0.90, 1000.0, 5000.0), CurvePoint(0.4, 0.94, 1400.0, 5200.0))


@pytest.fixture(scope="module")
def result() -> SuiteResult:
    steps: list[tuple[int, int, str]] = []
    settings = SuiteSettings(seeds=(7,), weeks=2, warm_up_weeks=1, processes=1)
    found = run_suite("closed_loop", settings, lambda done, total, what: steps.append((done, total, what)))
    assert [step[:2] for step in steps] == [(1, 3), (2, 3), (3, 3)]
    return found


@pytest.fixture(scope="module")
def html(result: SuiteResult) -> str:
    return as_page(result)


def figures(**given: float) -> dict[str, float]:
    return dict.fromkeys(BY_KEY, 1.0) | given


def comparison(fill: float, stock: float, cost: float, name: str = "usual") -> Comparison:
    return Comparison(name, 0.0, fill, 0.0, 0.0, 0.0, stock, cost)


def test_the_same_fill_rate_is_found_on_the_line_between_two_points_and_never_beyond_the_ends() -> None:
    assert at_fill(CURVE, 0.92, "stock_value") == pytest.approx(1200)
    assert at_fill(CURVE, 0.92, "total_cost") == pytest.approx(5100)
    assert at_fill(CURVE, 0.99, "stock_value") == 1400
    assert at_fill(CURVE, 0.50, "stock_value") == 1000


def test_changes_are_ours_against_the_baseline() -> None:
    ours = figures(fill_rate=0.92, stock_value=900, landed_cost=99, total_cost=5049, latency_median_days=1)
    theirs = figures(fill_rate=0.90, stock_value=1000, landed_cost=100, total_cost=5000, latency_median_days=4)
    found = compare(ours, theirs, "usual", CURVE)
    assert found.stock_change_percent == pytest.approx(-10)
    assert found.fill_rate_change == pytest.approx(2)
    assert found.landed_cost_change_percent == pytest.approx(-1)
    assert found.total_cost_change_percent == pytest.approx(0.98)
    assert found.latency_median_change_days == -3
    assert found.same_fill_stock_change_percent == pytest.approx(-25)
    assert found.same_fill_total_cost_change_percent == pytest.approx(-1)


@pytest.mark.parametrize(
    ("found", "met"),
    [
        ([comparison(0.0, 0.0, 0.0), comparison(3.0, -9.0, -2.0)], (True, True, True)),
        ([comparison(-0.1, -5.0, -1.0), comparison(3.0, -9.0, -2.0)], (False, True, True)),
        ([comparison(1.0, -5.0, -1.0), comparison(3.0, 0.1, -2.0)], (True, False, True)),
        ([comparison(1.0, -5.0, 0.2), comparison(3.0, -9.0, -2.0)], (True, True, False)),
    ],
)
def test_a_goal_is_met_only_against_both_baselines(found: Sequence[Comparison], met: tuple[bool, ...]) -> None:
    assert tuple(goal.met for goal in goals_of(found)) == met


def test_a_figure_that_a_seed_does_not_have_is_left_out_of_the_mean() -> None:
    nan = float("nan")
    mean = means_of([figures(landed_cost=10), figures(landed_cost=nan), figures(landed_cost=20)])
    assert mean["landed_cost"] == 15
    assert means_of([figures(landed_cost=nan)])["landed_cost"] != means_of([figures()])["landed_cost"]
    assert change_percent(1.0, 0.0) != change_percent(1.0, 0.0)


def test_a_curve_is_the_mean_over_the_seeds_at_each_factor_by_rising_fill_rate(result: SuiteResult) -> None:
    run = next(p for p in result.played if p.record.buyer != result.ours)
    name = run.record.buyer
    played = [
        Played(run.record, figures(fill_rate=fill, stock_value=stock), factor)
        for factor, fill, stock in ((0.0, 0.90, 10), (0.0, 0.94, 30), (-0.5, 0.80, 5), (-0.5, 0.84, 7))
    ]
    assert [(p.extra_factor, p.fill_rate, p.stock_value) for p in curve_of(played, name)] == [
        (-0.5, pytest.approx(0.82), 6),
        (0.0, pytest.approx(0.92), 20),
    ]


def test_an_unknown_suite_is_bad_input_that_lists_the_known_ones() -> None:
    with pytest.raises(BadInput) as caught:
        run_suite("nonsense", SuiteSettings(), lambda done, total, what: None)
    assert caught.value.exit_code == 2
    assert all(name in caught.value.remedy for name in SUITES)


def test_quick_counts_half_a_year_of_one_world_unless_told_otherwise() -> None:
    assert SuiteSettings.of(None, None, quick=False) == SuiteSettings(tuple(range(7, 16)), 52, 26)
    assert SuiteSettings.of(None, None, quick=True) == SuiteSettings((7,), 26, 13)
    assert SuiteSettings.of(2, 5, quick=True) == SuiteSettings((7, 8), 5, 13)


def test_every_buyer_meets_the_same_customers(result: SuiteResult) -> None:
    demanded = [p.record.demanded for p in result.played]
    assert len(demanded) == 3
    assert all((one == demanded[0]).all() for one in demanded)


def test_the_json_document_holds_every_figure_and_no_not_a_number(result: SuiteResult) -> None:
    document = json.loads(json.dumps(result.as_json(), allow_nan=False))
    assert set(document["means"]) == {"JIT Sourcing", "static reorder point", "weekly central plan"}
    assert set(document["runs"][0]) == {"buyer", "seed", *BY_KEY}
    assert document["ok"] == all(goal["met"] for goal in document["goals"])


def test_the_terminal_shows_every_figure_the_headline_and_the_goals(result: SuiteResult) -> None:
    console = Console(width=110, record=True, file=StringIO())
    console.print(as_terminal(result))
    text = console.export_text()
    for scorer in SCORERS:
        assert scorer.title in text
    assert "stock at the same fill rate" in text
    assert text.count("✓") + text.count("✗") == 3


class Links(HTMLParser):
    """Collects what a page would load or run."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.references: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.references += [value or "" for name, value in attrs if name in ("src", "href", "xlink:href", "action")]


def test_the_page_loads_nothing_from_anywhere(html: str) -> None:
    assert not re.search(r"https?:|//cdn|@import|url\((?!#)", html)
    links = Links()
    links.feed(html)
    assert not {"script", "link", "iframe", "img", "object"} & set(links.tags)
    assert "svg" in links.tags
    assert all(reference.startswith("#") for reference in links.references)


def test_the_page_says_question_goals_seeds_settings_versions_and_limits(result: SuiteResult, html: str) -> None:
    text = unescape(html)
    assert result.question in text
    assert all(limit in text for limit in result.limits)
    for name, value in {**result.settings, **result.versions}.items():
        assert name in text
        assert value in text
    assert html.count("<td>7</td>") == 3
    assert "Fill rate not below that of the better baseline" in html


def test_names_are_escaped(result: SuiteResult) -> None:
    evil = "<img src=x onerror=alert(1)>"
    renamed = tuple(
        replace(p, record=replace(p.record, buyer=evil)) if p.record.buyer == result.ours else p for p in result.played
    )
    page = as_page(
        replace(
            result,
            ours=evil,
            played=renamed,
            question=evil,
            limits=(evil,),
            settings={"seeds": "7", "weeks": "2", evil: evil},
        )
    )
    assert "<img" not in page
    assert page.count("&lt;img src=x onerror=alert(1)&gt;") >= 6


def test_one_result_gives_the_same_page_again(result: SuiteResult, html: str) -> None:
    assert as_page(result) == html


def test_a_page_that_cannot_be_written_is_bad_input(result: SuiteResult, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(BadInput, match="cannot be written"):
        write_page(result, tmp_path / "file" / "page.html")
