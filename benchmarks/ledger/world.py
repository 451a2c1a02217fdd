"""A small world of needs: its sandbox ERP, its datasets, and processes that share its databases."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from itertools import count
from pathlib import Path
from random import Random
from typing import Any, cast

from sqlalchemy import event

from benchmarks.ledger.schedule import FairLock, Life, Schedule
from benchmarks.ledger.wire import Faults, Wire
from erp.outbox import HALTED_FLAG, Outbox
from erp.sandbox import SandboxErp
from graph.computation.desk import Desk
from graph.incoming.readback import ReadBack
from store.operations import Operations
from store.warehouse import Warehouse
from tools.domain.catalogue import Item, Offer, Site, Supplier
from tools.domain.datasets import Dataset, Period
from tools.domain.orders import ItemSite, PurchaseOrder, Receipt

START = date(2026, 3, 2)
ITEMS = ("I1", "I2", "I3")
SITES = ("EAST", "WEST")
SUPPLIERS = ("S1", "S2")
FORGER = "S9"
"""Whom a forged order would go to."""
NEEDS: Sequence[ItemSite] = (("I1", "EAST"), ("I1", "WEST"), ("I2", "EAST"), ("I3", "EAST"))
TARGET: Mapping[ItemSite, int] = dict(zip(NEEDS, (50, 70, 90, 110), strict=True))
"""Units that each item and site needs on hand and on order."""
DAILY_DEMAND = 12.0
MOST_ACTS = 20
LEAD_TIMES = (2, 3, 5, 9, 14)


@dataclass
class Clock:
    """The wall clock of all processes, which people set."""

    now: datetime = datetime(2026, 3, 2, 9, tzinfo=UTC)
    latest: datetime = datetime(2026, 3, 2, 9, tzinfo=UTC)

    def __call__(self) -> datetime:
        """A moment later each time."""
        self.set_by(timedelta(milliseconds=1))
        return self.now

    def set_by(self, change: timedelta) -> None:
        """Forward or back."""
        self.now += change
        self.latest = max(self.latest, self.now)


@dataclass
class Datasets:
    """What stands where the warehouse and the desk stand: dataset versions, derived by the read-back."""

    first: Dataset
    known: dict[str, Dataset] = field(default_factory=dict[str, Dataset])
    seen: set[str] = field(default_factory=set[str])
    """Open orders that a reader has been told of."""
    active: str = ""

    def __post_init__(self) -> None:
        self.known[self.first.version] = self.first
        self.active = self.first.version

    def active_version(self) -> str:
        """The latest version."""
        return self.active

    def dataset(self, version: str) -> Dataset:
        """A version."""
        return self.known[version]

    def period(self, version: str) -> Period:
        """The bucket of its plans."""
        del version
        return Period.WEEK

    def lead_times(self, version: str) -> Mapping[str, Any]:
        """None are estimated."""
        del version
        return {}

    def derive_dataset(
        self,
        parent: str,
        *,
        receipts: Sequence[Receipt],
        open_orders: Sequence[PurchaseOrder],
        on_hand: Mapping[ItemSite, float],
        as_of: date,
        **more: object,
    ) -> str:
        """A new version with what was read; only the latest versions are kept."""
        del more
        before = self.known[parent]
        version = f"ds-{int(parent.split('-')[1]) + 1}"
        gathered = (*before.receipts, *receipts)
        self.known[version] = replace(
            before,
            version=version,
            as_of=as_of,
            on_hand=dict(on_hand),
            open_orders=tuple(open_orders),
            receipts=gathered,
        )
        self.seen |= {order.order_id for order in (*open_orders, *receipts)}
        self.active = version
        return version


class Process:
    """One process with the databases open: it can be killed at any statement, and starts again."""

    def __init__(self, world: "World") -> None:
        self._world = world
        self.life = Life()
        self._open()

    def _open(self) -> None:
        world = self._world
        self.operations = Operations(world.url, clock=world.clock)
        for engine in (self.operations._engine, self.operations._fast):  # pyright: ignore[reportPrivateUsage]
            if not self.operations.is_sqlite:
                event.listen(engine, "begin", world.before_transaction)
            event.listen(engine, "before_cursor_execute", world.before_statement)
        self.erp = Wire(SandboxErp(world.erp_file), world.schedule, world.faults)
        self.outbox = Outbox(self.operations, self.erp)
        datasets = world.datasets
        self.readback = ReadBack(
            self.operations, cast(Warehouse, datasets), cast(SandboxErp, self.erp), cast(Desk, datasets), world.seed
        )
        setattr(self.readback, "_reading", world.reading)  # noqa: B010 - its own lock would stop the schedule

    def start_again(self, *, alone: bool) -> None:
        """After a kill; the one process of a home makes what was leased due at once."""
        self.close()
        self.life = Life()
        self._open()
        if alone:
            self.operations.release_leases()

    def close(self) -> None:
        """Give everything back."""
        self.operations.close()
        self.erp.close()


class World:
    """Needs, an ERP, datasets, and processes that plan and decide."""

    def __init__(self, url: str, erp_file: Path, seed: int, processes: int = 3) -> None:
        self.url, self.erp_file, self.seed = url, erp_file, seed
        self.random = Random(seed)
        self.clock = Clock()
        self.schedule = Schedule()
        self.reading = FairLock(self.schedule)
        self.faults = Faults(Random(seed + 1))
        self.numbers = count(1)
        self.habits = [self.random.choice((0.0, 0.3, 1.0, 1.0, 3.0)) for _ in range(MOST_ACTS)]
        """How much more or less often than elsewhere each operation is drawn here: rare meetings become frequent."""
        self.focus = self.random.choice(NEEDS)
        """Much of what happens here happens to this need."""
        self.forged = set[str]()
        """Keys of actions that somebody changed in the database."""
        self.kinds: dict[str, int] = {}
        self.kills = 0
        first = _first_dataset(self.random)
        sandbox = SandboxErp(erp_file, seed)
        days = {offer.offer_id: LEAD_TIMES for offer in first.offers}
        sandbox.seed_from(first, days, dict.fromkeys(ITEMS, DAILY_DEMAND))
        sandbox.close()
        self.datasets = Datasets(first)
        self.processes = [Process(self) for _ in range(processes)]

    def play(self, acts: Sequence[tuple[str, Process, Callable[[], str]]], seed: int) -> None:
        """Play named operations beside each other; then processes that were killed start again."""

        def counted(name: str, act: Callable[[], str]) -> Callable[[], None]:
            def work() -> None:
                kind = f"{name}: killed"
                try:
                    kind = f"{name}: {act()}"
                finally:
                    self.kinds[kind] = self.kinds.get(kind, 0) + 1

            return work

        self.schedule.play([(process.life, counted(name, act)) for name, process, act in acts], seed)
        for process in self.processes:
            if process.life.dead:
                self.kills += 1
                process.start_again(alone=self.random.random() < 0.5)
            process.life.fuse = None

    def before_transaction(self, connection: object) -> None:
        """Another operation may go on."""
        self.schedule.point()

    def before_statement(self, connection: object, cursor: object, statement: str, *more: object) -> None:
        """Between two transactions another operation may go on; within one the process may be killed."""
        if statement.startswith("BEGIN"):
            self.schedule.point()
        else:
            self.schedule.step()

    def halt(self, on: bool) -> None:
        """Stop or allow dispatch."""
        self.processes[0].operations.set_flag(HALTED_FLAG, "ana" if on else "")

    def close(self) -> None:
        """Give everything back."""
        for process in self.processes:
            process.close()


def _first_dataset(random: Random) -> Dataset:
    """Two suppliers of three items at two sites, with some stock and one order that is open already."""
    offers = tuple(
        Offer(item_id=item, supplier_id=supplier, site_id=site, unit_price=2.5, lead_time_days=5)
        for item, site in NEEDS
        for supplier in SUPPLIERS
    )
    (item, site) = NEEDS[0]
    order = PurchaseOrder(
        order_id="PO-1", item_id=item, supplier_id="S1", site_id=site, quantity=20, order_date=START - timedelta(3)
    )
    return Dataset(
        version="ds-1",
        as_of=START,
        currency="USD",
        items={item: Item(item_id=item) for item in ITEMS},
        suppliers={supplier: Supplier(supplier_id=supplier) for supplier in SUPPLIERS},
        sites={site: Site(site_id=site) for site in SITES},
        offers=offers,
        on_hand={need: float(random.randint(0, TARGET[need])) for need in NEEDS},
        stock_as_of={},
        demand={},
        open_orders=(order,),
        receipts=(),
    )
