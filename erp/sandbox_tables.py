"""The sandbox ERP's own SQLite file: its tables, and how it is filled from a dataset."""

import sqlite3
from collections.abc import Callable, Generator, Iterable, Mapping
from contextlib import contextmanager
from pathlib import Path

from store.faults import faults_named, storage_fault
from store.private import private_file, private_folder
from tools.domain.datasets import Dataset
from tools.domain.errors import OutOfReach

SCHEMA = """
CREATE TABLE IF NOT EXISTS clock (today TEXT NOT NULL, seed INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS orders (
  erp_ref TEXT PRIMARY KEY, idempotency_key TEXT NOT NULL UNIQUE, supplier_id TEXT NOT NULL, site_id TEXT NOT NULL,
  currency TEXT NOT NULL, ordered_on TEXT NOT NULL, confirms_on TEXT, confirmed_on TEXT);
CREATE TABLE IF NOT EXISTS lines (
  number INTEGER PRIMARY KEY, order_id TEXT NOT NULL, erp_ref TEXT NOT NULL REFERENCES orders, line_id TEXT NOT NULL,
  item_id TEXT NOT NULL, quantity REAL NOT NULL, open REAL NOT NULL, unit_price TEXT, due_on TEXT, promised_on TEXT,
  quoted_days INTEGER NOT NULL, arrives_on TEXT NOT NULL, status TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS lines_by_order ON lines (erp_ref);
CREATE INDEX IF NOT EXISTS lines_by_item ON lines (item_id);
CREATE INDEX IF NOT EXISTS lines_by_their_id ON lines (order_id);
CREATE INDEX IF NOT EXISTS lines_by_arrival ON lines (arrives_on) WHERE open > 0;
CREATE TABLE IF NOT EXISTS actions (
  idempotency_key TEXT PRIMARY KEY, kind TEXT NOT NULL, erp_ref TEXT NOT NULL, done_on TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS receipts (
  number INTEGER PRIMARY KEY, order_id TEXT NOT NULL, item_id TEXT NOT NULL, supplier_id TEXT NOT NULL,
  site_id TEXT NOT NULL, quantity REAL NOT NULL, order_date TEXT NOT NULL, promised_date TEXT,
  receipt_date TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS stock (
  item_id TEXT NOT NULL, site_id TEXT NOT NULL, on_hand REAL NOT NULL, daily_demand REAL NOT NULL,
  PRIMARY KEY (item_id, site_id));
CREATE TABLE IF NOT EXISTS demand (
  item_id TEXT NOT NULL, site_id TEXT NOT NULL, day TEXT NOT NULL, quantity REAL NOT NULL,
  PRIMARY KEY (item_id, site_id, day));
CREATE TABLE IF NOT EXISTS lead_times (
  offer_id TEXT NOT NULL, item_id TEXT NOT NULL, supplier_id TEXT NOT NULL, days INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS lead_times_by_offer ON lead_times (item_id, supplier_id);
CREATE TABLE IF NOT EXISTS master (
  kind TEXT NOT NULL, id TEXT NOT NULL, payload TEXT NOT NULL, changed_on TEXT NOT NULL, PRIMARY KEY (kind, id));
CREATE TABLE IF NOT EXISTS home (
  place INTEGER PRIMARY KEY, id TEXT NOT NULL, changes INTEGER NOT NULL, supply INTEGER NOT NULL);
INSERT OR IGNORE INTO home VALUES (1, '', 0, 0);
"""
TAKEN_OVER = "before:"
"""How the key of an order begins that was open before the sandbox began."""
TABLES = ("clock", "lines", "orders", "actions", "receipts", "stock", "demand", "lead_times", "master")


def open_file(path: Path) -> sqlite3.Connection:
    """Open the file, creating its tables; every commit is on disk when it returns. OutOfReach when it cannot be."""
    private_folder(path.parent)
    private_file(path)
    try:
        connection = sqlite3.connect(path, timeout=30, check_same_thread=False, isolation_level=None)
        connection.row_factory = sqlite3.Row
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        connection.executescript(SCHEMA)
    except sqlite3.DatabaseError as error:
        raise storage_fault(error, f"The sandbox ERP's file {path}", path) or OutOfReach(
            f"The sandbox ERP's file {path} cannot be used: {error}.",
            remedy="Check that it is writable, and restore it from a backup; or import anew into another JIT_HOME.",
        ) from error
    return connection


@contextmanager
def writing(connection: sqlite3.Connection, supply: Callable[[], int] = lambda: 0) -> Generator[sqlite3.Connection]:
    """One transaction: all of it or, when anything is raised, nothing. It is counted, with the ledger's counter."""
    where = Path(connection.execute("PRAGMA database_list").fetchone()["file"])
    with faults_named("The sandbox ERP's file", where, sqlite3.Error):
        connection.execute("BEGIN IMMEDIATE")
        try:
            yield connection
            connection.execute("UPDATE home SET changes = changes + 1, supply = MAX(supply, ?)", (supply(),))
            connection.execute("COMMIT")
        except BaseException:  # an interrupt, too: nothing half-done stays
            if connection.in_transaction:  # a full disk may have ended it already
                connection.execute("ROLLBACK")
            raise


def fill(
    connection: sqlite3.Connection,
    dataset: Dataset,
    lead_times: Mapping[str, Iterable[int]],
    daily_demand: Mapping[str, float],
    seed: int,
) -> None:
    """Empty every table and store the dataset's clock, stock, master data and lead-time samples."""
    today = dataset.as_of.isoformat()
    for table in TABLES:
        connection.execute(f"DELETE FROM {table}")  # noqa: S608 - names of this module
    connection.execute("INSERT INTO clock VALUES (?, ?)", (today, seed))
    connection.executemany(
        "INSERT INTO stock VALUES (?, ?, ?, ?)",
        [(item, site, units, daily_demand.get(item, 0.0)) for (item, site), units in dataset.on_hand.items()],
    )
    for offer in dataset.offers:
        samples = [int(days) for days in lead_times.get(offer.offer_id, ())] or [round(offer.lead_time_days)]
        connection.executemany(
            "INSERT INTO lead_times VALUES (?, ?, ?, ?)",
            [(offer.offer_id, offer.item_id, offer.supplier_id, max(0, days)) for days in samples],
        )
    records = [("items", key, item.model_dump_json(), today) for key, item in dataset.items.items()]
    records += [("suppliers", key, supplier.model_dump_json(), today) for key, supplier in dataset.suppliers.items()]
    records += [("offers", offer.offer_id, offer.model_dump_json(), today) for offer in dataset.offers]
    connection.executemany("INSERT OR REPLACE INTO master VALUES (?, ?, ?, ?)", records)
