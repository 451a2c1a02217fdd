"""A long simulation of the ledger of orders: no need bought twice, none forgotten, every store telling the same.

`--steps` and `--seed` choose the size, `--database` a PostgreSQL database that may be emptied, `--seconds` an end.
"""

import time
from argparse import ArgumentParser, Namespace

from benchmarks.figures import Figure, quick_asked, report
from benchmarks.ledger.episodes import Tally, simulate


def figures_of(tally: Tally, database: str) -> dict[str, Figure]:
    """What was played, and what was found wrong."""
    played = f"{tally.worlds} worlds on {database}, {tally.settled} of them settled and planned again at times"
    return {
        "steps": Figure(tally.steps, "operations", "100,000 in the long form", played),
        "schedules": Figure(tally.rounds, "rounds", "-", "operations beside each other, in a drawn order"),
        "switches": Figure(tally.switches, "times", "-", "one operation went on in the middle of another"),
        "kills": Figure(tally.kills, "processes", "-", "killed at a drawn statement or call"),
        "left_to_a_person": Figure(tally.stuck, "orders", "-", "given up while the ERP had not answered"),
        "doubled": Figure(tally.doubled, "needs", "0", "bought twice, or asked for by two runs"),
        "forgotten": Figure(tally.forgotten, "needs", "0", "neither on their way nor waiting"),
        "disagreeing": Figure(tally.disagreeing, "stores", "0", "orders, lines, history, approvals, outbox, ERP"),
    }


def told(tally: Tally) -> str:
    """What came of each kind of operation, and the first things that were found wrong."""
    kinds = [f"{count:>8,}  {kind}" for kind, count in sorted(tally.kinds.items())]
    return "\n".join([*kinds, *tally.examples[:10]])


def _asked() -> Namespace:
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=1_000 if quick_asked() else 100_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--database", default="", help="a PostgreSQL URL; what its schema public holds is dropped")
    parser.add_argument("--seconds", type=float, default=float("inf"))
    return parser.parse_known_args()[0]


if __name__ == "__main__":
    asked = _asked()
    until = time.monotonic() + asked.seconds
    played = simulate(asked.steps, asked.seed, asked.database, lambda tally: time.monotonic() < until)
    print(told(played))
    print(report("ledger_simulation", figures_of(played, "PostgreSQL" if asked.database else "SQLite")))
