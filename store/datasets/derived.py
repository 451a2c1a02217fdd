"""A dataset version that grows out of another one: what an ERP's read-back adds to its parent's tables and replaces."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from store.datasets.past_demand import DEMAND_KINDS, RANK
from store.datasets.staged import StagedTables
from store.schema import CANONICAL
from tools.domain.orders import PurchaseOrder, Receipt

PARENT = "parent"
"""Schema of the parent's tables in the staged file."""
GROWING = ("receipts", "purchase_orders", "stock", "demand")
KEPT_COUNTS = (
    "SELECT item_id, site_id, on_hand, coalesce(as_of, ?::DATE) AS as_of FROM parent.stock "
    "SEMI JOIN fresh_stock USING (item_id, site_id) WHERE coalesce(as_of, ?::DATE) < ?::DATE"
)
"""Earlier stock counts of what is still reported; a second look on a day replaces the first."""
DEMAND_LIKE_BEFORE = (
    f"WITH ranked AS (SELECT *, {RANK} AS rank FROM parent.demand), "  # noqa: S608
    "best AS (SELECT item_id, site_id, min(rank) AS rank FROM ranked GROUP BY ALL), "
    "named AS (SELECT item_id, site_id, arg_max_null(kind, date) AS kind, true AS known FROM ranked "
    "SEMI JOIN best USING (item_id, site_id, rank) GROUP BY ALL) "
    f"SELECT fresh.* REPLACE (CASE WHEN known THEN named.kind ELSE '{DEMAND_KINDS[0]}' END AS kind) "
    "FROM fresh_demand fresh LEFT JOIN named USING (item_id, site_id)"
)
"""New demand with the kind of its item's history, since kinds are never added up."""


@dataclass(frozen=True, slots=True)
class ReadBackRows:
    """What an ERP tells that the parent does not hold. `demand` is (item, site, day, units) a row."""

    receipts: Sequence[Receipt]
    open_orders: Sequence[PurchaseOrder]
    on_hand: Mapping[tuple[str, str], float]
    demand: Sequence[tuple[str, str, date, float]] = ()


def stage_read_back(staged: StagedTables, clock: date, as_of: date, read: ReadBackRows) -> int:
    """Fill the tables from the parent's and what was read; returns the receipts that are new.

    `clock` is the parent's, which its counts without a day are of. Stock that the ERP no longer reports is dropped
    with its history: an old count is no stock to plan with.
    """
    for name in CANONICAL:
        if name not in GROWING:
            staged.put(name, f"FROM {PARENT}.{name}")
    seen = "SELECT order_id, item_id, receipt_date FROM parent.receipts"
    staged.hold("read_receipts", "receipts", (tuple(receipt.model_dump().values()) for receipt in read.receipts))
    with staged.using() as connection:
        connection.execute(
            "CREATE TEMP TABLE fresh_receipts AS FROM read_receipts "
            f"ANTI JOIN ({seen}) USING (order_id, item_id, receipt_date)"
        )
        ((fresh,),) = connection.execute("SELECT count(*) FROM fresh_receipts").fetchall()
    staged.put("receipts", "FROM parent.receipts UNION ALL FROM fresh_receipts")
    staged.put_rows("purchase_orders", (tuple(order.model_dump(mode="json").values()) for order in read.open_orders))
    staged.hold("fresh_stock", "stock", ((*key, units, as_of) for key, units in read.on_hand.items()))
    staged.put("stock", f"{KEPT_COUNTS} UNION ALL FROM fresh_stock", [clock, clock, as_of])
    staged.hold("fresh_demand", "demand", ((*row, None) for row in read.demand))
    staged.put("demand", f"FROM parent.demand UNION ALL ({DEMAND_LIKE_BEFORE})")
    return int(fresh)
