"""What is left of a run is told by what followed the same step in an earlier one, by the number of items."""

from datetime import UTC, datetime, timedelta

import pytest

from graph.run.pace import Pace
from graph.run.progress import HowFar
from store.audit.chain import Transition

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def row(node: str, end: float, event: str = "node", status: str = "ok") -> Transition:
    """A step that ended so many seconds after noon."""
    at = (NOON + timedelta(seconds=end)).isoformat()
    body = {"run_id": "run-1", "node": node, "event": event, "status": status, "started_at": at, "ended_at": at}
    return Transition(1, "d", body, "", "")


ROWS = [
    row("sense", 1.0),
    row("compute_options", 11.0),
    row("compute_options:route", 11.5, "route"),
    row("negotiate", 12.0, status="error"),
    row("compute_options", 17.0),
    row("gate_autonomy", 21.0),
    row("order", 40.0),
]


def test_what_followed_the_first_end_of_a_step_is_what_is_left_after_it() -> None:
    pace = Pace.of(ROWS, 1_000)
    assert pace.after == {"sense": 20.0, "compute_options": 10.0, "gate_autonomy": 0.0}
    assert pace.rest_after("compute_options", 1_000) == pytest.approx(10.0)
    assert pace.rest_after("compute_options", 50) == pytest.approx(0.5)


def test_nothing_is_told_of_steps_that_no_earlier_run_took_or_without_an_earlier_plan() -> None:
    assert Pace.of(ROWS, 1_000).rest_after("estimate", 1_000) is None
    assert Pace.of(ROWS[:-2], 1_000).after == {}
    assert Pace().rest_after("sense", 1_000) is None
    assert Pace.of(ROWS, 0).rest_after("sense", 1_000) is None


def test_the_rest_of_the_step_and_of_the_whole_run_is_told_together() -> None:
    far = HowFar("compute_options", 500, 1_000, 5.0, Pace.of(ROWS, 1_000).rest_after("compute_options", 1_000))
    assert far.in_words == "500 of 1,000 done, about 5 s left in this step and 15 s in all"
