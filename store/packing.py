"""Long stored texts, compressed where the database does not do it by itself, and the orders in them."""

import zlib
from functools import lru_cache

from tools.domain.orders import Order

ORDERS_KEPT = 256
"""Orders that are kept as they were read; of 10,000 items and 60 suppliers one has some fifty lines."""


def packed(stored: str) -> bytes:
    """The text compressed; SQLite keeps bytes in a text column as they are."""
    return zlib.compress(stored.encode(), level=9)


def unpacked(stored: str | bytes) -> str | bytes:
    """The text of a row, compressed or not."""
    return zlib.decompress(stored) if isinstance(stored, bytes) else stored


@lru_cache(maxsize=ORDERS_KEPT)
def order_in(stored: str | bytes) -> Order:
    """The order of a stored text; read once while it is among the latest: a plan, a page and a run look at the same."""
    return Order.model_validate_json(unpacked(stored))
