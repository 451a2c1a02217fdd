"""`python -m benchmarks.one_need_once` for every day: real runs, decisions beside them, every store judged."""

import pytest
from postgres_cluster import postgres_cluster

from benchmarks.one_need_once import Tally, demo_home, play

RUNS = 6
RUNS_OVER_HTTP = 3


def _nothing_found(tally: Tally) -> None:
    assert tally.runs == {"local": RUNS, "http": RUNS_OVER_HTTP}
    assert tally.doubled == tally.forgotten == tally.disagreeing == []
    assert tally.acts.total() > 0


@pytest.mark.timeout(1200)
def test_runs_and_decisions_beside_each_other_buy_each_need_once() -> None:
    with demo_home() as home:
        _nothing_found(play(home, RUNS, RUNS_OVER_HTTP, seed=5))


@pytest.mark.postgres
@pytest.mark.timeout(1200)
def test_runs_and_decisions_on_postgres_buy_each_need_once() -> None:
    with postgres_cluster() as url, demo_home(url) as home:
        _nothing_found(play(home, RUNS, RUNS_OVER_HTTP, seed=6))
