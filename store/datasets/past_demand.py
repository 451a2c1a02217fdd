"""Recorded demand of a dataset version, from its stored rows to arrays by item and site."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import duckdb
import numpy as np

from tools.domain.datasets import DemandHistory

DEMAND_KINDS = ("demand", "order", "sales")
"""Nearest to true demand first: sales miss what was not in stock. A row that names none counts as demand."""
RANK = f"list_position({list(DEMAND_KINDS)}, coalesce(kind, '{DEMAND_KINDS[0]}'))"
"""Place of a row's kind among them, as SQL."""
NEAREST = (
    f"WITH ranked AS (SELECT * EXCLUDE (version), {RANK} AS rank FROM c_demand WHERE version = ?), "  # noqa: S608
    "best AS (SELECT item_id, site_id, min(rank) AS rank FROM ranked GROUP BY ALL), "
    "nearest AS (FROM ranked SEMI JOIN best USING (item_id, site_id, rank)) "
)
"""The rows of each item and site that are nearest to true demand: kinds are never added up."""
Key = tuple[str, str]
"""(item_id, site_id)."""


@dataclass(frozen=True, slots=True)
class PastDemand:
    """Histories in id order, and the items and sites whose records say that they are demand or orders."""

    histories: Mapping[Key, DemandHistory]
    named: frozenset[Key]


def read_demand(connection: duckdb.DuckDBPyConnection, version: str) -> PastDemand:
    """The demand of a dataset version. All histories are cut from one array of days and one of quantities."""
    groups: list[tuple[Any, ...]] = connection.execute(
        f"{NEAREST} SELECT item_id, site_id, count(*), coalesce(bool_or(kind <> 'sales'), false) FROM nearest "  # noqa: S608
        "GROUP BY ALL ORDER BY item_id, site_id",
        [version],
    ).fetchall()
    found = connection.execute(
        f"{NEAREST} SELECT date, quantity FROM nearest ORDER BY item_id, site_id, date, quantity",  # noqa: S608
        [version],
    ).fetchnumpy()
    dates, quantities = found["date"].astype("datetime64[D]"), np.asarray(found["quantity"], dtype=np.float64)
    ends = np.cumsum([count for *_, count, _ in groups], dtype=np.int64)
    histories = {
        (item, site): DemandHistory(item, site, dates[end - count : end], quantities[end - count : end])
        for (item, site, count, _), end in zip(groups, ends, strict=True)
    }
    return PastDemand(histories, frozenset((item, site) for item, site, _, is_named in groups if is_named))
