"""A run is ended while it computes, and not once it publishes; how far it is reads as a person would say it."""

import threading

import pytest

from graph.run.cancelling import Cancels
from graph.run.progress import HowFar
from tools.domain.errors import Cancelled


def test_a_run_that_computes_is_ended_where_it_next_looks_up() -> None:
    cancels = Cancels()
    cancels.computing("run-1")
    assert cancels.ask("run-1", "Cancelled by ana.")
    with pytest.raises(Cancelled, match="Cancelled by ana"):
        cancels.computing("run-1")


def test_a_run_that_does_not_compute_or_publishes_already_is_not_ended() -> None:
    cancels = Cancels()
    assert not cancels.ask("run-1", "Cancelled by ana.")
    cancels.computing("run-1")
    cancels.publishing("run-1")
    assert not cancels.ask("run-1", "Cancelled by ana.")
    assert cancels.runs == []


def test_whoever_asked_before_it_publishes_is_heard_when_it_would() -> None:
    cancels = Cancels()
    cancels.computing("run-1")
    assert cancels.ask("run-1", "Cancelled by ana.")
    assert cancels.ask("run-1", "Cancelled by bob.")
    with pytest.raises(Cancelled, match="Cancelled by ana"):
        cancels.publishing("run-1")


def test_a_run_that_looks_at_supply_again_may_be_ended_again_and_others_go_on() -> None:
    cancels = Cancels()
    cancels.computing("run-1")
    cancels.publishing("run-1")
    cancels.computing("run-1")
    cancels.computing("run-2")
    assert cancels.runs == ["run-2", "run-1"]
    assert cancels.ask("run-1", "Cancelled by ana.")
    cancels.computing("run-2")
    cancels.over("run-1")
    assert not cancels.ask("run-1", "Cancelled by ana.")


def test_whoever_waits_for_a_run_to_end_hears_it_at_once() -> None:
    cancels = Cancels()
    cancels.computing("run-1")
    waiting = threading.Thread(target=cancels.until_over, args=("run-1", 60.0))
    waiting.start()
    cancels.over("run-1")
    waiting.join(30.0)
    assert not waiting.is_alive()


@pytest.mark.parametrize(
    ("far", "said"),
    [
        (HowFar("estimate", 400, 2_000, 10.0), "400 of 2,000 done, about 40 s left in this step"),
        (HowFar("estimate", 10, 2_000, 10.0), "10 of 2,000 done, about 33 min left in this step"),
        (HowFar("estimate", 2_000, 2_000, 10.0), "2,000 of 2,000 done, about 1 s left in this step"),
        (HowFar("estimate", 0, 2_000, 10.0), "0 of 2,000 done"),
    ],
)
def test_how_far_a_step_is_reads_as_a_person_says_it(far: HowFar, said: str) -> None:
    assert far.in_words == said
