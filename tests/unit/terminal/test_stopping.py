"""Ctrl-C stops a run even when something on the way has swallowed it."""

import os
import signal
import threading
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from graph.views.runs import StepView
from terminal import failures
from terminal.steps import until_stopped

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


@pytest.fixture
def remembering(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(failures, "_asked_to_stop", threading.Event())
    before = signal.signal(signal.SIGINT, failures.remember_to_stop)
    yield
    signal.signal(signal.SIGINT, before)


def _swallowed_interrupt() -> None:
    """What a compiled library does with an exception in its callback."""
    try:
        os.kill(os.getpid(), signal.SIGINT)
    except KeyboardInterrupt:
        return
    raise AssertionError("the signal did not arrive")


def test_a_swallowed_interrupt_stops_at_the_next_step_and_ends_what_drives_the_run(remembering: None) -> None:
    ended: list[str] = []

    def drive() -> Iterator[StepView]:
        try:
            for node in ("sense", "gate_data", "estimate", "close"):
                if node == "estimate":
                    _swallowed_interrupt()
                yield StepView(run_id="r", node=node, title=node, summary="", seconds=0.0, at=NOON)
        finally:
            ended.append("driver")

    seen: list[str] = []
    with pytest.raises(KeyboardInterrupt):
        for step in until_stopped(drive()):
            seen.append(step.node)
    assert seen == ["sense", "gate_data"]
    assert ended == ["driver"]


def test_without_an_interrupt_every_step_comes_through(remembering: None) -> None:
    steps = [StepView(run_id="r", node=node, title=node, summary="", seconds=0.0, at=NOON) for node in "abc"]
    assert list(until_stopped(iter(steps))) == steps
