"""Any operations on the ledger, in any order and beside each other: what fails is shrunk to the fewest."""

from contextlib import ExitStack
from functools import partial
from random import Random

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from benchmarks.ledger.acts import ACTS
from benchmarks.ledger.episodes import FAULTY, fresh_world, settle
from benchmarks.ledger.oracle import Oracle

ACT = st.tuples(st.sampled_from(list(ACTS)), st.integers(0, 2), st.integers(0, 1000))
"""What is done, by which process, and what is drawn in it."""


class LedgerStates(RuleBasedStateMachine):
    """Runs, decisions, dispatch, read-backs, clock changes and kills on the real ledger, outbox and sandbox ERP."""

    @initialize(seed=st.integers(0, 50))
    def open(self, seed: int) -> None:
        self.stack = ExitStack()
        self.world = self.stack.enter_context(fresh_world(seed))
        self.oracle = Oracle(self.world)
        self.stack.callback(self.oracle.close)

    @rule(act=ACT)
    def one(self, act: tuple[str, int, int]) -> None:
        self._play([act], 0)

    @rule(acts=st.lists(ACT, min_size=2, max_size=4), schedule=st.integers(0, 1000))
    def several_beside_each_other(self, acts: list[tuple[str, int, int]], schedule: int) -> None:
        self._play(acts, schedule)

    @rule(acts=st.lists(ACT, min_size=1, max_size=3), schedule=st.integers(0, 1000), fuse=st.integers(1, 120))
    def a_process_is_killed(self, acts: list[tuple[str, int, int]], schedule: int, fuse: int) -> None:
        self.world.processes[acts[0][1]].life.fuse = fuse
        self._play(acts, schedule)

    @rule()
    def everything_settles(self) -> None:
        settle(self.world)
        self.oracle.check_settled()

    @invariant()
    def nothing_is_bought_twice_or_forgotten_and_stores_agree(self) -> None:
        if hasattr(self, "oracle"):
            self.oracle.check()
            assert self.oracle.found.all() == []

    def teardown(self) -> None:
        if not hasattr(self, "oracle"):
            return
        try:
            self.everything_settles()
            assert self.oracle.found.all() == []
        finally:
            self.stack.close()

    def _play(self, acts: list[tuple[str, int, int]], schedule: int) -> None:
        self.world.faults.probability = FAULTY
        jobs = []
        for name, place, drawn in acts:
            process = self.world.processes[place]
            jobs.append((name, process, partial(ACTS[name][0], self.world, process, Random(drawn))))
        self.world.play(jobs, schedule)


TestLedgerStates = LedgerStates.TestCase
TestLedgerStates.settings = settings(
    max_examples=25,
    stateful_step_count=15,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
)
