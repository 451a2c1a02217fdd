"""Of the steps of a run under way only the last is shown while it computes."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

from graph.views.runs import UNDER_WAY, StepView
from web.live import Feed, as_they_stand

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def step(node: str, status: str = "ok", done: int = 0) -> StepView:
    return StepView(
        run_id="run-1", node=node, title=node, summary="", seconds=1.0, status=status, at=NOON, done=done, expected=9
    )


TOLD = [step("sense"), step("estimate", UNDER_WAY, 3), step("estimate", UNDER_WAY, 6), step("estimate")]


def test_what_was_told_of_a_step_before_it_ended_is_dropped_but_for_the_latest() -> None:
    shown = [[(one.node, one.done) for one in as_they_stand(TOLD[:count])] for count in range(5)]
    assert shown == [
        [],
        [("sense", 0)],
        [("sense", 0), ("estimate", 3)],
        [("sense", 0), ("estimate", 6)],
        [("sense", 0), ("estimate", 0)],
    ]


def test_whoever_follows_a_feed_hears_how_far_it_is_and_whoever_looks_sees_it_as_it_stands() -> None:
    with ThreadPoolExecutor(1) as pool:
        feed = Feed(lambda: iter(TOLD), pool)
        assert list(feed.follow()) == TOLD
    assert feed.steps == (TOLD[0], TOLD[3])
