"""The ledger of orders: each order's latest form, who owns each need, and the counter by which both are decided."""

from collections.abc import Collection, Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import String, bindparam, text

from store.database import Database, to_text
from store.ledger.approvals import insert_approval, void_approvals
from store.ledger.order_book import OrderBook, Window, select_named, select_orders
from store.ledger.outbox import OutboxRow, insert_action
from store.ledger.publications import note_publication
from store.packing import order_in
from tools.domain.orders import PENDING, UNSENT, ItemSite, Order, OrderStatus

REPLACED = "replaced by a newer plan"
IN_ERP = (OrderStatus.IN_DOUBT, OrderStatus.PLACED, OrderStatus.CONFIRMED, OrderStatus.PART_RECEIVED)
"""What the ERP may still move on by itself."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run publishes. `seq` is the counter that it read before anything else."""

    run_id: str
    seq: int
    item_ids: Sequence[str]
    needs: Mapping[ItemSite, Window]
    orders: Sequence[Order]
    actions: Sequence[OutboxRow] = ()
    """ERP actions of the orders that leave by themselves."""
    decides: bool = True
    """Whether it owns its needs; one that does not is stored to be looked at, and replaces nothing."""


@dataclass(frozen=True, slots=True)
class Moved:
    """Supply changed since a run read it: nothing of its plan was published."""

    needs: tuple[ItemSite, ...]


@dataclass(frozen=True, slots=True)
class LeftOrder:
    """An order that was approved, and when."""

    order_key: str
    supplier_id: str
    value_cents: int


@dataclass(frozen=True, slots=True)
class Past:
    """One move of an order's history."""

    order_key: str
    before: str
    after: str
    actor: str
    reason: str
    at: datetime
    order: Order | None = field(default=None, repr=False)
    """Its form where the move changed it."""


class OrderLedger(Database):
    """Orders by key, run, status and need. Each change is one transaction that takes the counter first."""

    @contextmanager
    def order_book(self) -> Generator[OrderBook]:
        """A transaction on the ledger."""
        with self._write() as connection:
            yield OrderBook(connection, self._now())

    def supply_seq(self) -> int:
        """The counter of changes of supply, as of now."""
        return self._counter("supply")

    def on_order_seq(self) -> int:
        """The counter at the last change of what is on order."""
        return self._counter("on_order")

    def _counter(self, name: str) -> int:
        with self._read() as connection:
            return int(
                connection.execute(text("SELECT value FROM counters WHERE name = :name"), {"name": name}).scalar_one()
            )

    def note_supply_read(self, dataset_version: str, seq: int) -> None:
        """Store up to which change a dataset version knows what is on order."""
        self._change(
            "INSERT INTO supply_reads (dataset_version, seq) VALUES (:version, :seq)"
            " ON CONFLICT (dataset_version) DO UPDATE SET seq = excluded.seq",
            {"version": dataset_version, "seq": seq},
        )

    def knows_supply(self, dataset_version: str) -> bool:
        """Whether a dataset version knows everything that is on order."""
        query = text(
            "SELECT value <= COALESCE((SELECT seq FROM supply_reads WHERE dataset_version = :version), 0) AS known"
            " FROM counters WHERE name = 'on_order'"
        )
        with self._read() as connection:
            return bool(connection.execute(query, {"version": dataset_version}).scalar_one())

    def publish(self, plan: Plan) -> tuple[Order, ...] | Moved:
        """Make a run the owner of its needs with what it orders, or tell which supply moved since it looked.

        In one transaction: what other runs' orders wait for the same items is replaced, the orders are stored, their
        approvals opened and the actions of automatic ones queued. Publishing a run again changes nothing.
        """
        with self.order_book() as book:
            known = text("SELECT run_id FROM publications WHERE run_id = :run_id")
            if book.connection.execute(known, {"run_id": plan.run_id}).first() is not None:
                return tuple(select_orders(book.connection, "run_id = :run_id", {"run_id": plan.run_id}))
            waiting = _waiting(book) if plan.decides else []
            moved = _moved_since(plan, book) | _beside(plan, waiting) if plan.decides else set[ItemSite]()
            if moved:
                return Moved(tuple(sorted(moved)))
            self._replace(plan, waiting, book)
            book.own(plan.run_id, plan.needs if plan.decides else {})
            book.insert(plan.orders, "policy")
            for order in plan.orders:
                if order.is_pending:
                    insert_approval(book.connection, order, book.at)
            for action in plan.actions:
                insert_action(book.connection, action, book.at)
            note_publication(book, plan.run_id, plan.item_ids, decides=plan.decides)
            return tuple(plan.orders)

    def _replace(self, plan: Plan, waiting: Sequence[Order], book: OrderBook) -> None:
        """What waits from other runs for these items gives way."""
        items = set(plan.item_ids)
        replaced = [order for order in waiting if order.run_id != plan.run_id and items & order.item_ids]
        void_approvals(book.connection, [order.route.approval_id for order in replaced], REPLACED, book.at)
        for order in replaced:
            book.move(order, order.moved(OrderStatus.SUPERSEDED, reason=REPLACED), plan.run_id, REPLACED)

    def supply_moved(self, needs: Iterable[ItemSite]) -> None:
        """Count a change of supply that no order of ours made."""
        wanted = set(needs)
        if wanted:
            with self.order_book() as book:
                book.bump(wanted)
                book.mark_on_order()

    def note_in_erp(self, found: Mapping[str, tuple[OrderStatus, str]], reason: str = "") -> None:
        """Move orders on to where the ERP says that they stand: order key to status and ERP reference."""
        if not found:
            return
        with self.order_book() as book:
            for order in select_named(book.connection, "order_key", found):
                status, erp_ref = found[order.order_key]
                if status is order.status and erp_ref and erp_ref != order.erp_ref:
                    book.move(order, order.changed(erp_ref=erp_ref, reason=reason), "erp", reason)
                else:
                    book.move_if_allowed(order, status, "erp", reason, erp_ref=erp_ref or order.erp_ref)

    def erp_started_over(self, reason: str = "the sandbox ERP was started over") -> None:
        """Orders that stood in an ERP which no longer knows them are cancelled."""
        standing = [*IN_ERP, OrderStatus.CHANGE_SENT]
        if not self.orders_in(standing):
            return
        with self.order_book() as book:
            for order in select_named(book.connection, "status", [status.value for status in standing]):
                book.move_if_allowed(order, OrderStatus.CANCELLED, "erp", reason)

    def adopt(
        self, run_id: str, item_ids: Sequence[str], orders: Sequence[Order], left_at: Mapping[str, datetime]
    ) -> None:
        """Take over the orders of a run that an earlier version of the program published; once."""
        with self.order_book() as book:
            book.left_at = {key: to_text(moment) for key, moment in left_at.items()}
            known = text("SELECT run_id FROM publications WHERE run_id = :run_id")
            if book.connection.execute(known, {"run_id": run_id}).first() is None:
                book.insert(orders, "upgrade")
                needs = {need: order.latest_arrival for order in orders if order.is_pending for need in order.needs}
                days = {need: min(order.lines[0].order_date for order in orders) for need in needs}
                book.own(run_id, {need: Window(days[need], arrival) for need, arrival in needs.items()})
                note_publication(book, run_id, item_ids, decides=True)

    def orders_of(self, *run_ids: str) -> list[Order]:
        """Every order of these runs in its latest form, in one query."""
        with self._read() as connection:
            return select_named(connection, "run_id", run_ids)

    def ledger_marks(self, run_ids: Sequence[str]) -> dict[str, int]:
        """For each of these runs that has orders, a number that grows with every change of one of them; one query."""
        query = text(
            "SELECT orders.run_id, MAX(order_history.id) AS mark FROM orders JOIN order_history USING (order_key)"
            " WHERE orders.run_id IN :run_ids GROUP BY orders.run_id"
        ).bindparams(bindparam("run_ids", expanding=True, type_=String()))
        with self._read() as connection:
            return {row.run_id: int(row.mark) for row in connection.execute(query, {"run_ids": list(run_ids)})}

    def orders_for(self, order_keys: Iterable[str]) -> dict[str, Order]:
        """Orders by key, in one query."""
        with self._read() as connection:
            return {order.order_key: order for order in select_named(connection, "order_key", order_keys)}

    def orders_in(self, statuses: Iterable[OrderStatus]) -> list[Order]:
        """Orders in these statuses, in one query."""
        with self._read() as connection:
            return select_named(connection, "status", [status.value for status in statuses])

    def orders_by_reference(self, erp_refs: Iterable[str]) -> list[Order]:
        """Orders that the ERP knows under these references, in one query."""
        with self._read() as connection:
            return select_named(connection, "erp_ref", erp_refs)

    def orders_of_actions(self, beginnings: Collection[str]) -> list[Order]:
        """Orders whose actions in the outbox have keys that begin so, all equally long, in one query."""
        if not beginnings:
            return []
        query = text("SELECT order_key FROM outbox WHERE SUBSTR(action_key, 1, :length) IN :beginnings").bindparams(
            bindparam("beginnings", expanding=True, type_=String())
        )
        known = {"length": len(next(iter(beginnings))), "beginnings": sorted(beginnings)}
        with self._read() as connection:
            return select_named(connection, "order_key", connection.execute(query, known).scalars())

    def waiting_orders(self) -> list[Order]:
        """Orders that wait for a signature."""
        return self.orders_in(PENDING)

    def orders_with_line(self, run_id: str, line_id: str) -> list[Order]:
        """A run's orders that have a line of this id."""
        query = "run_id = :run_id AND order_key IN (SELECT order_key FROM order_lines WHERE line_id = :line_id)"
        with self._read() as connection:
            return select_orders(connection, query, {"run_id": run_id, "line_id": line_id})

    def unsent_orders(self) -> list[Order]:
        """Orders that are approved and not known to stand in the ERP."""
        return [order for order in self.orders_in(UNSENT) if order.places]

    def last_prices(self) -> dict[tuple[str, str], float]:
        """Unit price of the last order that left, by item and supplier."""
        query = text(
            "SELECT item_id, supplier_id, unit_price FROM order_lines JOIN orders USING (order_key)"
            " WHERE left_seq IS NOT NULL AND status NOT IN ('failed', 'withdrawn')"
            " ORDER BY left_seq, order_key, line_id"
        )
        with self._read() as connection:
            return {(row.item_id, row.supplier_id): row.unit_price for row in connection.execute(query)}

    def left_since(self, moment: datetime) -> list[LeftOrder]:
        """Orders that were approved after a moment and not given up since."""
        query = text(
            "SELECT order_key, supplier_id, value_cents, left_seq FROM orders"
            " WHERE left_at > :since AND status NOT IN ('failed', 'withdrawn') ORDER BY left_seq"
        )
        with self._read() as connection:
            rows = connection.execute(query, {"since": to_text(moment)})
            return [LeftOrder(row.order_key, row.supplier_id, row.value_cents) for row in rows]

    def order_history(self, order_key: str) -> list[Past]:
        """Every move of an order, oldest first."""
        query = text("SELECT * FROM order_history WHERE order_key = :key ORDER BY id")
        with self._read() as connection:
            return [
                Past(
                    row.order_key,
                    row.before,
                    row.after,
                    row.actor,
                    row.reason,
                    datetime.fromisoformat(row.at),
                    order_in(row.body) if row.body else None,
                )
                for row in connection.execute(query, {"key": order_key})
            ]

    def unmoved_needs(self, run_ids: Collection[str]) -> dict[ItemSite, str]:
        """Needs that one of these runs owns and whose supply nothing else changed since, with the run, in one query."""
        query = text(
            "SELECT item_id, site_id, owner_run FROM needs LEFT JOIN supply USING (item_id, site_id)"
            " WHERE owner_run IN :run_ids AND COALESCE(version, 0) <= seq"
        ).bindparams(bindparam("run_ids", expanding=True, type_=String()))
        with self._read() as connection:
            rows = connection.execute(query, {"run_ids": list(run_ids)})
            return {(row.item_id, row.site_id): row.owner_run for row in rows}

    def items_beside_waiting(self, run_ids: Collection[str]) -> set[str]:
        """Items of which one of these runs' orders has a line that does not wait for a signature, in one query."""
        query = text(
            "SELECT DISTINCT item_id FROM order_lines JOIN orders USING (order_key)"
            " WHERE run_id IN :run_ids AND status NOT IN :pending"
        ).bindparams(*(bindparam(name, expanding=True, type_=String()) for name in ("run_ids", "pending")))
        values = {"run_ids": list(run_ids), "pending": [status.value for status in PENDING]}
        with self._read() as connection:
            return set(connection.execute(query, values).scalars())

    def need_owners(self) -> dict[ItemSite, str]:
        """The run that owns each need."""
        with self._read() as connection:
            rows = connection.execute(text("SELECT item_id, site_id, owner_run FROM needs"))
            return {(row.item_id, row.site_id): row.owner_run for row in rows}


def _waiting(book: OrderBook) -> list[Order]:
    return select_named(book.connection, "status", [status.value for status in PENDING])


def _moved_since(plan: Plan, book: OrderBook) -> set[ItemSite]:
    """Needs of the plan's items whose supply changed after the plan's run had looked."""
    query = text("SELECT item_id, site_id FROM supply WHERE version > :seq")
    items = set(plan.item_ids)
    rows = book.connection.execute(query, {"seq": plan.seq})
    return {(row.item_id, row.site_id) for row in rows if row.item_id in items}


def _beside(plan: Plan, waiting: Sequence[Order]) -> set[ItemSite]:
    """Needs that wait in one order with an item of the plan, and that it does not plan itself."""
    items = set(plan.item_ids)
    touched = [order for order in waiting if order.run_id != plan.run_id and items & order.item_ids]
    return {need for order in touched for need in order.needs if need[0] not in items}
