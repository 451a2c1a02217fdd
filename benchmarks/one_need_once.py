"""Real runs beside each other, decisions, read-backs, alerts and halts between them: each need is bought once.

Some sessions share a home in one process, others are clients of a real server. `--runs` and `--http` choose how many
runs of each kind, `--database` a PostgreSQL URL whose tables are dropped (empty for SQLite), `--seconds` an end.
"""

import logging
import sqlite3
import tempfile
import time
from argparse import ArgumentParser, Namespace
from collections import Counter
from collections.abc import Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from random import Random

import orjson
from sqlalchemy import create_engine, text

from benchmarks.cases.server_process import serving
from benchmarks.figures import Figure, quick_asked, report
from benchmarks.ledger.stores import Stores, asked_for_twice, disagreements, look
from evals.worlds.demo import AS_OF, make_demo_world
from evals.worlds.folder import write_folder
from graph.session import LocalSession, open_session
from graph.settings import Settings
from graph.views.orders import ApprovalView
from graph.views.runs import Trigger, TriggerKind
from store.operations import Operations
from tools.domain.errors import JitError
from web.client import RemoteSession

Door = LocalSession | RemoteSession
ITEMS = ("I002", "I008", "I022")
"""The first leaves by itself; the others need a signature."""
PEOPLE = ("bob", "carol", "dave", "erin", "frank")
SIGNER = "zoe"
"""Plans and edits nothing, and so may sign everything."""
LOCAL_THREADS = 4
CLIENTS = 8
BATCH = 20
"""Runs until everything is signed and judged, and the world imported anew: needs are open again."""
MOST_ROUNDS = 20
"""Plans in a row, everything signed, after which a home must need nothing more. A home alone takes one and a second
that asks for nothing."""
MOST_BOUGHT = 1.25
"""Of what one plan asked for while nothing of the item was bought: a line within a fifth of what is left is not cut."""
TAKEN_BACK = ("withdrawn", "cancelled", "failed")
KINDS = ("approve", "approve", "approve", "edit", "reject", "withdraw", "observe", "plan", "halt", "resume")


@dataclass
class Tally:
    """What was done and found."""

    runs: Counter[str] = field(default_factory=Counter[str])
    acts: Counter[str] = field(default_factory=Counter[str])
    batches: int = 0
    doubled: list[str] = field(default_factory=list[str])
    forgotten: list[str] = field(default_factory=list[str])
    disagreeing: list[str] = field(default_factory=list[str])
    evidence: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    """Orders of each item that was ordered too much of, with what became of them."""
    seconds: float = 0.0

    @property
    def wrong(self) -> list[str]:
        """Everything that was found wrong."""
        return [*self.doubled, *self.forgotten, *self.disagreeing]


def planned(door: Door, actor: str) -> str:
    """Somebody asks for a plan of the three items."""
    return door.start(Trigger(kind=TriggerKind.ANALYST, actor=actor, reason="one need once", item_ids=ITEMS))


def act(door: Door, kind: str, random: Random) -> str:
    """Something that a person or the ERP does beside the runs; what was refused is as good as what was done."""
    actor = random.choice(PEOPLE)
    try:
        if kind in ("approve", "reject", "edit"):
            return _decide(door, kind, actor, random)
        if kind == "withdraw":
            approved = [one.approval_id for one in door.decided(10) if one.status == "approved"]
            if not approved:
                return "nothing to do"
            door.withdraw(random.choice(approved), actor, "drawn")
        elif kind == "observe":
            door.observe(0)
        elif kind == "plan":
            planned(door, actor)
        else:
            door.halt(actor, kind == "halt")
    except JitError:
        return "refused"
    return "done"


def _decide(door: Door, kind: str, actor: str, random: Random) -> str:
    pending = door.pending()
    if not pending:
        return "nothing to do"
    chosen = random.choice(pending)
    edits = _smaller(chosen, random) if kind == "edit" else None
    door.decide(chosen.approval_id, kind, actor, "drawn", edits=edits)
    return "done"


def _smaller(approval: ApprovalView, random: Random) -> dict[str, float]:
    """Less of a line, in whole packs, at times nothing."""
    line = random.choice(approval.lines)
    pack = line.figures.get("order_multiple", 1.0) or 1.0
    return {line.line_id: line.quantity * random.choice((0.0, 0.5, 0.75)) // pack * pack}


@dataclass
class Home:
    """A home with the demo world imported, and the stores that it is judged by."""

    settings: Settings
    world: Path
    needed: dict[str, float]
    """Units of each item that one plan after another, with everything signed, orders in a home of its own."""
    opened: int = 0
    """The last move of an order before every need was open again."""

    def open_every_need(self, door: Door) -> None:
        """Start the ERP over from the same world, and take back what people decided of lines."""
        door.import_folder(str(self.world), as_of=AS_OF)
        with closing(Operations(self.settings.operations_url)) as operations:
            held = {made.approval_id for made in operations.line_decisions().values()}
        for approval_id in sorted(held):
            door.reconsider(approval_id, SIGNER, "every need is open again")
        self.opened = max((row["id"] for rows in self._stores().history.values() for row in rows), default=0)

    def stores_are_one(self, session: Door, tally: Tally) -> None:
        """Compare ledger, approvals, outbox, ERP, the shown plan and the journal between two batches."""
        stores = self._stores()
        tally.doubled += asked_for_twice(stores)
        tally.disagreeing += disagreements(stores)
        for item_id, units in _ordered_or_asked(stores).items():
            needed = max(self.needed[item_id], _asked_at_once(stores, item_id, self.opened))
            if units > MOST_BOUGHT * needed:
                tally.doubled.append(f"{item_id}: {units:g} units for {needed:g} needed")
                tally.evidence[item_id] = _orders_of(stores, item_id)
        self._plan_tells_it(session, tally)
        checked = session.verify_journal()
        if not checked.ok:
            tally.disagreeing.append(checked.reason)

    def _stores(self) -> Stores:
        engine = create_engine(self.settings.operations_url.replace("postgresql://", "postgresql+psycopg://", 1))
        with closing(sqlite3.connect(self.settings.home / "sandbox_erp.sqlite")) as erp:
            stores = look(engine, erp)
        engine.dispose()
        return stores

    def _plan_tells_it(self, session: Door, tally: Tally) -> None:
        """What the plan shows as waiting is what waits."""
        shown = {line.order_key for line in session.plan().lines if line.status == "waiting"}
        waits = {one.order_key for one in session.pending()}
        if not waits <= shown:
            tally.disagreeing.append(f"the plan does not show {sorted(waits - shown)} as waiting")


def _ordered_or_asked(stores: Stores) -> dict[str, float]:
    """Units by item that the ERP has from here, that are on their way there, or that wait for a signature."""
    ordered: dict[str, float] = dict.fromkeys(ITEMS, 0.0)
    for order in (row for key, row in stores.erp_orders.items() if not key.startswith("before:")):
        for line in stores.erp_lines[order["erp_ref"]]:
            ordered[line["item_id"]] += line["quantity"] if line["status"] != "cancelled" else 0.0
    for (item_id, _), units in (*stores.on_their_way().items(), *stores.waiting().items()):
        ordered[item_id] += units
    return ordered


def _asked_at_once(stores: Stores, item_id: str, opened: int) -> float:
    """The most units of an item that one run asked for before anything of it was bought since its need was opened.

    The engine may choose another lot of about equal cost when it plans again; only one of them is to be bought. What
    was taken back since was not bought.
    """
    begun, units, bought = dict[str, int](), Counter[str](), list[int]()
    for key, order in stores.orders.items():
        mine = [line["quantity"] for line in stores.lines[key] if line["item_id"] == item_id]
        moves = [row for row in stores.history[key] if row["id"] > opened]
        if mine and moves and moves[0]["after"] != "gated":
            begun[order["run_id"]] = min(begun.get(order["run_id"], moves[0]["id"]), moves[0]["id"])
            units[order["run_id"]] += sum(mine)
            stands = order["status"] not in TAKEN_BACK
            bought += [row["id"] for row in moves if row["after"] == "approved" and stands]
    first = min(bought, default=max(begun.values(), default=0))
    return max((units[run_id] for run_id, number in begun.items() if number <= first), default=0.0)


def _orders_of(stores: Stores, item_id: str) -> list[str]:
    """The orders of an item, in the order of their runs, each with its states and what the ERP has of it."""
    found = list[str]()
    for key in sorted(stores.orders, key=lambda key: stores.history[key][0]["id"]):
        units = {line["line_id"]: line["quantity"] for line in stores.lines[key] if line["item_id"] == item_id}
        placing = [row["action_key"] for row in stores.actions_of(key) if row["kind"] == "place"]
        there = [stores.erp_orders[action]["erp_ref"] for action in placing if action in stores.erp_orders]
        if units:
            states = [f"{row['after']} ({row['actor']}: {row['reason']})" for row in stores.history[key]]
            notes = [line["notes"][:1] for line in orjson.loads(stores.orders[key]["body"])["lines"]]
            found.append(f"{key} {units}: {' > '.join(states)}; in the ERP: {there}; {notes}")
    return found


def settled(door: Door) -> dict[str, float]:
    """Sign everything and plan again until nothing more is asked for; the units of each item that still are."""
    door.halt("ana", False)
    left = dict[str, float]()
    for _ in range(MOST_ROUNDS):
        run_id = planned(door, "ana")
        left = {line.item_id: line.quantity for line in door.plan(run_id).lines if line.status == "waiting"}
        for one in door.pending():
            door.decide(one.approval_id, "approve", SIGNER, "settled")
        if not left:
            break
    return left


def batch(doors: Sequence[Door], runs: int, kind: str, seed: int, tally: Tally) -> None:
    """So many runs, spread over the doors, each thread with its own drawn acts between them."""
    random = Random(seed)
    shares = [runs // len(doors) + (place < runs % len(doors)) for place in range(len(doors))]
    seeds = [random.getrandbits(32) for _ in doors]

    def work(door: Door, share: int, own: int) -> tuple[int, Counter[str]]:
        drawn, made, acts = Random(own), 0, Counter[str]()
        for _ in range(share):
            for chosen in drawn.choices(KINDS, k=drawn.randint(0, 2)):
                came = act(door, chosen, drawn)
                acts[f"{chosen}: {came}"] += 1
            planned(door, drawn.choice(PEOPLE))
            made += 1
        return made, acts

    with ThreadPoolExecutor(len(doors)) as pool:
        for made, acts in pool.map(work, doors, shares, seeds):
            tally.runs[kind] += made
            tally.acts.update(acts)
    tally.batches += 1


def play(home: Home, runs: int, http: int, seed: int, until: float = float("inf")) -> Tally:
    """First the runs within one process, then those over HTTP; every batch is judged."""
    tally, started = Tally(), time.monotonic()
    with closing(open_session(home.settings)) as session:
        _batches([session] * LOCAL_THREADS, session, home, runs, "local", seed, until, tally)
    if http and time.monotonic() < until:
        with ExitStack() as opened:
            served = serving(home.settings.home, JIT_DATABASE_URL=home.settings.database_url)
            url, key = opened.enter_context(served)
            doors = [opened.enter_context(RemoteSession(url, key)) for _ in range(CLIENTS)]
            _batches(doors, doors[0], home, http, "http", seed + 1, until, tally)
    tally.seconds = time.monotonic() - started
    return tally


def _batches(
    doors: Sequence[Door], judge: Door, home: Home, runs: int, kind: str, seed: int, until: float, tally: Tally
) -> None:
    number = 0
    while tally.runs[kind] < runs and time.monotonic() < until and not tally.wrong:
        number += 1
        home.open_every_need(judge)
        batch(doors, min(BATCH, runs - tally.runs[kind]), kind, seed * 1000 + number, tally)
        judge.halt("ana", False)
        home.stores_are_one(judge, tally)
        left = settled(judge)
        tally.forgotten += [f"{item_id}: {units:g} units are still asked for" for item_id, units in left.items()]
        home.stores_are_one(judge, tally)


@contextmanager
def demo_home(database: str = "") -> Generator[Home]:
    """A home with the demo world, on an emptied PostgreSQL database when its URL is given."""
    needed = _needed()
    with _made(database) as (settings, world):
        yield Home(settings, world, needed)


@contextmanager
def _made(database: str) -> Generator[tuple[Settings, Path]]:
    """A home with the demo world imported and its people, and the folder of the world."""
    if database:
        _emptied(database)
    with tempfile.TemporaryDirectory() as folder:
        world = Path(folder) / "world"
        write_folder(make_demo_world().dataset, world)
        settings = Settings(home=Path(folder) / "home", database_url=database, llm_model="")
        with closing(open_session(settings)) as session:
            session.import_folder(str(world), as_of=AS_OF)
        with Operations(settings.operations_url) as operations:
            for name in (*PEOPLE, SIGNER, "ana"):
                operations.add_user(name, "manager")
        yield settings, world


@cache
def _needed() -> dict[str, float]:
    """Units of each item that a home alone orders."""
    with _made("") as (settings, _):
        with closing(open_session(settings)) as session:
            left = settled(session)
        if left:
            raise RuntimeError(f"A home alone still asks for {left} after {MOST_ROUNDS} plans")
        return _ordered(settings.home)


def _ordered(home: Path) -> dict[str, float]:
    query = (
        "SELECT item_id, SUM(quantity) FROM lines JOIN orders USING (erp_ref)"
        " WHERE idempotency_key NOT LIKE 'before:%' GROUP BY item_id"
    )
    with closing(sqlite3.connect(home / "sandbox_erp.sqlite")) as erp:
        return dict(erp.execute(query).fetchall())


def _emptied(database: str) -> None:
    engine = create_engine(database.replace("postgresql://", "postgresql+psycopg://", 1))
    with engine.begin() as connection:
        connection.execute(text("DROP SCHEMA public CASCADE"))
        connection.execute(text("CREATE SCHEMA public"))
    engine.dispose()


def figures_of(tally: Tally) -> dict[str, Figure]:
    """What was run, and what was found wrong."""
    return {
        "local_runs": Figure(tally.runs["local"], "runs", "800", f"{LOCAL_THREADS} threads on one session"),
        "http_runs": Figure(tally.runs["http"], "runs", "200", f"{CLIENTS} clients of a server process"),
        "acts": Figure(tally.acts.total(), "acts", "-", "decisions, withdrawals, read-backs, halts beside them"),
        "batches": Figure(tally.batches, "batches", "-", "after each, all stores were compared"),
        "doubled": Figure(len(tally.doubled), "needs", "0", "asked for by two runs, or more than needed"),
        "forgotten": Figure(len(tally.forgotten), "needs", "0", "still asked for when everything was signed"),
        "disagreeing": Figure(len(tally.disagreeing), "stores", "0", "ledger, approvals, outbox, ERP, plan, journal"),
        "seconds": Figure(tally.seconds, "s", "-", "all of it"),
    }


def _asked() -> Namespace:
    quick = quick_asked()
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=16 if quick else 800)
    parser.add_argument("--http", type=int, default=8 if quick else 200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--database", default="", help="a PostgreSQL URL; what its schema public holds is dropped")
    parser.add_argument("--seconds", type=float, default=float("inf"))
    return parser.parse_known_args()[0]


def told(tally: Tally) -> str:
    """What came of each kind of act, and what was found wrong."""
    acts = [f"{count:>6,}  {kind}" for kind, count in sorted(tally.acts.items())]
    return "\n".join([*acts, *tally.wrong[:10], *(row for rows in tally.evidence.values() for row in rows)])


if __name__ == "__main__":
    logging.getLogger("httpx").setLevel(logging.WARNING)
    asked = _asked()
    with demo_home(asked.database) as made:
        played = play(made, asked.runs, asked.http, asked.seed, time.monotonic() + asked.seconds)
    print(told(played))
    print(report("one_need_once", figures_of(played)))
