"""Episodes of a simulation: rounds of operations beside each other, checked after each, and settled at times."""

import tempfile
from collections import Counter
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from pathlib import Path
from random import Random

from sqlalchemy import create_engine, text

from benchmarks.ledger.acts import ACTS, run_of
from benchmarks.ledger.oracle import Oracle
from benchmarks.ledger.world import ITEMS, World

STEPS_OF_A_WORLD = 200
SETTLED_EVERY = 50
MOST_BESIDE = 4
KILLED = 0.06
"""Probability that a round kills one of its processes."""
LONGEST_FUSE = 160
FAULTY = 0.12
"""Probability that a write to the ERP fails before or after it was done."""
MOST_FOUND = 20


@dataclass
class Tally:
    """What was played and found."""

    steps: int = 0
    rounds: int = 0
    switches: int = 0
    kills: int = 0
    settled: int = 0
    stuck: int = 0
    worlds: int = 0
    doubled: int = 0
    forgotten: int = 0
    disagreeing: int = 0
    kinds: Counter[str] = field(default_factory=Counter[str])
    examples: list[str] = field(default_factory=list[str])

    @property
    def found(self) -> int:
        """How much was found wrong."""
        return self.doubled + self.forgotten + self.disagreeing

    def add(self, world: World, oracle: Oracle, seed: int) -> None:
        """Count a world that was played."""
        self.worlds += 1
        self.switches += world.schedule.switches
        self.kills += world.kills
        self.stuck += oracle.stuck
        self.kinds.update(world.kinds)
        found = oracle.found
        self.doubled += len(found.doubled)
        self.forgotten += len(found.forgotten)
        self.disagreeing += len(found.disagreeing)
        self.examples += [f"seed {seed}: {words}" for words in found.all()]


@contextmanager
def fresh_world(seed: int, url: str = "") -> Generator[World]:
    """A world on a new SQLite file, or on an emptied PostgreSQL database."""
    with tempfile.TemporaryDirectory(prefix="jit-ledger-") as folder:
        if url:
            engine = create_engine(url.replace("postgresql://", "postgresql+psycopg://", 1))
            with engine.begin() as connection:
                connection.execute(text("DROP SCHEMA public CASCADE"))
                connection.execute(text("CREATE SCHEMA public"))
            engine.dispose()
        world = World(url or f"sqlite:///{folder}/operations.sqlite", Path(folder) / "erp.sqlite", seed)
        try:
            yield world
        finally:
            world.close()


def play(world: World, oracle: Oracle, steps: int, tally: Tally) -> None:
    """Play one world until the steps are made or something is found."""
    random, played, settled = world.random, 0, 0
    while played < steps and not oracle.found.all():
        beside = random.randint(1, MOST_BESIDE)
        play_round(world, beside, random.getrandbits(32))
        oracle.check()
        played += beside
        tally.rounds += 1
        if played // SETTLED_EVERY > settled or played >= steps:
            settled = played // SETTLED_EVERY
            settle(world)
            oracle.check_settled()
            tally.settled += 1
    tally.steps += played


def play_round(world: World, beside: int, seed: int) -> None:
    """So many drawn operations beside each other, on drawn processes; one process is killed at times."""
    random = Random(seed)
    weights = [weight * habit for (_, weight), habit in zip(ACTS.values(), world.habits, strict=False)]
    names = random.choices(list(ACTS), [0.01 + weight for weight in weights], k=beside)
    world.faults.probability = FAULTY
    chosen = [random.choice(world.processes) for _ in names]
    if random.random() < KILLED:
        random.choice(chosen).life.fuse = random.randint(1, LONGEST_FUSE)
    jobs = [
        (name, process, partial(ACTS[name][0], world, process, Random(random.getrandbits(32))))
        for name, process in zip(names, chosen, strict=True)
    ]
    world.play(jobs, random.getrandbits(32))


def settle(world: World) -> None:
    """Nothing fails any more: everything is sent, read back, and planned again."""
    world.faults.probability = 0.0
    world.halt(False)
    process = world.processes[0]
    for _ in range(20):
        world.clock.set_by(world.clock.latest - world.clock.now + timedelta(days=1))
        process.outbox.drain()
        if not _due(world):
            break
    process.readback.observe(0)
    run_of(world, process, ITEMS, Random(world.random.getrandbits(32)), gated=False)
    process.outbox.drain()
    process.readback.observe(0)


def _due(world: World) -> int:
    counts = world.processes[0].operations.outbox_counts()
    return counts.get("queued", 0) + counts.get("leased", 0)


def simulate(steps: int, seed: int, url: str = "", go_on: Callable[[Tally], bool] = lambda tally: True) -> Tally:
    """Play worlds one after another until so many steps are made, enough is found, or `go_on` says no."""
    tally = Tally()
    for number in _numbers(seed):
        if tally.steps >= steps or len(tally.examples) >= MOST_FOUND or not go_on(tally):
            return tally
        with fresh_world(number, url) as world:
            oracle = Oracle(world)
            play(world, oracle, min(STEPS_OF_A_WORLD, steps - tally.steps), tally)
            tally.add(world, oracle, number)
            oracle.close()
    return tally


def _numbers(seed: int) -> Iterator[int]:
    number = seed * 1_000_000
    while True:
        yield number
        number += 1
