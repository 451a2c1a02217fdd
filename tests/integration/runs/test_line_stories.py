"""The story of an order line at every door: session, HTTP, command line."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from demo_home import demo_home, demo_session
from integration.web.running_app import running
from integration.web.web_members import team
from integration.web.web_session import InMemorySession
from jit_command import Jit
from pydantic import SecretStr

from graph.session import LocalSession
from graph.views.runs import Trigger, TriggerKind
from tools.domain.errors import NotFound
from web.api import create_app
from web.client import RemoteSession
from web.errors import SignInNeeded
from web.pages.widgets.line_story import curve_chart, stock_band_chart, stock_in_words
from web.settings import WebSettings

WIDEST = 110
WEIGHED = ("place", "expedite", "switch_supplier")


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalSession]:
    with demo_session(tmp_path_factory.mktemp("stories")) as made:
        yield made


def test_every_placed_line_of_a_stored_run_tells_its_story(session: LocalSession) -> None:
    plan = session.plan()
    placed = [line for line in plan.lines if line.intent in WEIGHED]
    assert len(placed) > 5
    for line in placed:
        story = session.line_story(line.line_id, plan.run.run_id)
        planned = [point for point in story.curve if point.planned]
        assert [point.quantity for point in planned] == [story.quantity]
        assert planned[0].total == pytest.approx(line.figures["expected_cost"], rel=1e-9)
        parts = ("purchase", "freight", "ordering", "holding", "shortage", "limits")
        for point in story.curve:
            assert sum(getattr(point, part) for part in parts) == pytest.approx(point.total)
        assert story.next_best.endswith("over the horizon.")
        assert "|" not in story.next_best, "offers are named as people know them"
        assert 0 <= story.stockout_probability <= 1
        assert 0 <= story.stockout_probability_without <= 1
        bands = (story.stock_p05, story.stock_p25, story.stock_p50, story.stock_p75, story.stock_p95)
        assert all(list(at) == sorted(at) for at in zip(*bands, strict=True))
        assert {term.term for term in story.terms} >= {"price"}
        assert {one.name for one in story.textbook} >= {"reorder_point", "safety_stock", "newsvendor_order"}


def test_a_line_that_the_run_does_not_place_is_named_with_the_remedy(session: LocalSession) -> None:
    with pytest.raises(NotFound, match="nothing#0") as refused:
        session.line_story("nothing#0")
    assert "Name one of its lines" in refused.value.remedy


def test_charts_mark_the_planned_quantity_and_say_what_they_show(session: LocalSession) -> None:
    line = next(line for line in session.plan().lines if line.intent in WEIGHED)
    story = session.line_story(line.line_id)
    curve = curve_chart(story)["series"][0]
    assert curve["data"] == [[point.quantity, round(point.total, 2)] for point in story.curve]
    assert curve["markLine"]["data"] == [{"xAxis": story.quantity}]
    bands = {one["name"]: one["data"] for one in stock_band_chart(story)["series"]}
    assert bands["Median"] == list(story.stock_p50)
    assert bands["5–95 %"][0] == pytest.approx(story.stock_p95[0] - story.stock_p05[0], abs=1e-3)
    assert "above zero" in stock_in_words(story) or "below zero" in stock_in_words(story)


@pytest.fixture(scope="module")
def planned() -> tuple[InMemorySession, str]:
    made = InMemorySession()
    return made, made.start(Trigger(kind=TriggerKind.CLI, actor="ana"))


@pytest.fixture(scope="module")
def url(planned: tuple[InMemorySession, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    home: Path = tmp_path_factory.mktemp("story-server")
    settings = WebSettings(home=home, webhook_secret=SecretStr("whsec_" + "A" * 32))
    app = create_app(planned[0], team(), settings)
    with running(app) as address:
        yield address
    app.state.live.close()


def test_over_http_a_viewer_gets_the_story_that_the_session_tells(
    planned: tuple[InMemorySession, str], url: str
) -> None:
    made, run_id = planned
    with RemoteSession(url, "key-vic") as remote:
        for line in made.plan(run_id).lines:
            told = remote.line_story(line.line_id, run_id)
            assert told == made.line_story(line.line_id, run_id)
            assert len(told.curve) >= 5
        with pytest.raises(NotFound, match="L-99"):
            remote.line_story("L-99", run_id)
    with RemoteSession(url, "wrong") as stranger, pytest.raises(SignInNeeded):
        stranger.line_story("L-01", run_id)


def test_the_command_line_explains_an_item_with_its_curve_and_what_terms_are_worth(
    tmp_path: Path,
) -> None:
    jit = Jit(demo_home(tmp_path, planned=True))
    plan = json.loads(jit("show", "--json").stdout)
    item_id = next(line["item_id"] for line in plan["lines"] if line["intent"] in WEIGHED)
    told = json.loads(jit("explain", item_id, "--json").stdout)
    assert told["text"]
    assert told["stories"]
    assert all(story["item_id"] == item_id for story in told["stories"])
    printed = jit("explain", item_id)
    story_words = "would be worth"
    assert printed.returncode == 0, printed.stderr
    for part in ("planned", story_words, "why they differ", "Stock-out before", "stock at the end of"):
        assert part in printed.stdout
    assert told["stories"][0]["curve_in_words"].split(";")[0] in " ".join(printed.stdout.split())
    assert [line for line in printed.stdout.splitlines() if len(line) > WIDEST and "line " not in line] == []
