"""The simulation of `python -m benchmarks.ledger_simulation`, in a size for every day, on both databases."""

import pytest
from postgres_cluster import postgres_cluster

from benchmarks.ledger.episodes import Tally, simulate
from store.ledger import orders

SEED = 11
STEPS = 1_000
STEPS_ON_POSTGRES = 400


def _nothing_found(tally: Tally, steps: int) -> None:
    assert tally.examples == []
    assert tally.steps >= steps and tally.kills > 0 and tally.switches > tally.rounds > 0


@pytest.mark.timeout(1200)
def test_drawn_operations_beside_each_other_buy_nothing_twice_and_forget_nothing() -> None:
    _nothing_found(simulate(STEPS, SEED), STEPS)


@pytest.mark.postgres
@pytest.mark.timeout(1200)
def test_drawn_operations_on_postgres_buy_nothing_twice_and_forget_nothing() -> None:
    with postgres_cluster() as url:
        _nothing_found(simulate(STEPS_ON_POSTGRES, SEED, url=url), STEPS_ON_POSTGRES)


def test_a_ledger_that_does_not_compare_is_found_out_in_the_size_for_every_day(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(orders, "_moved_since", lambda plan, book: set())
    assert simulate(STEPS, SEED, go_on=lambda tally: not tally.found).doubled > 0
