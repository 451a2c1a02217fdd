"""`python -m benchmarks.one_need_once` for every day: real runs, decisions beside them, every store judged."""

import pytest
from postgres_cluster import postgres_cluster

from benchmarks.one_need_once import Tally, demo_home, play

RUNS = 6
RUNS_OVER_HTTP = 3


RUNS_ON_POSTGRES = 6
"""All over HTTP: the sessions of a server and those of one process are the same code over the same database."""


def _nothing_found(tally: Tally) -> None:
    assert tally.doubled == tally.forgotten == tally.disagreeing == []
    assert tally.acts.total() > 0


@pytest.mark.timeout(1200)
def test_runs_and_decisions_beside_each_other_buy_each_need_once() -> None:
    with demo_home() as home:
        tally = play(home, RUNS, RUNS_OVER_HTTP, seed=5)
    assert tally.runs == {"local": RUNS, "http": RUNS_OVER_HTTP}
    _nothing_found(tally)


@pytest.mark.postgres
@pytest.mark.timeout(1200)
def test_runs_and_decisions_on_postgres_buy_each_need_once() -> None:
    with postgres_cluster() as url, demo_home(url) as home:
        tally = play(home, 0, RUNS_ON_POSTGRES, seed=6)
    assert tally.runs == {"http": RUNS_ON_POSTGRES}
    _nothing_found(tally)
