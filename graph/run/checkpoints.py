"""LangGraph's checkpoints in the operations database, SQLite or PostgreSQL: JSON values and typed orders."""

import sqlite3
import zlib
from collections.abc import Callable, Generator
from contextlib import closing, contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any

from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.types import Send

from graph.computation.memo import MODELS_KEPT, ModelMemo
from store.faults import faults_named
from store.operations import Operations
from tools.domain.catalogue import Autonomy
from tools.domain.orders import Intent, Order, OrderLine, OrderStatus, OrderVerdict, Origin, Route, RouteKind

POOL_SIZE = 4
TITLE = "The file of checkpoints"
ORDER_TYPES = tuple(
    (made.__module__, made.__name__)
    for made in (Order, OrderLine, Route, OrderVerdict, OrderStatus, Origin, RouteKind, Intent, Autonomy)
)
"""Types of the state by the names that checkpoints store."""


PACKED = "+zlib"
"""Ends the type of a value that is stored compressed; those of before have none."""
WORTH_PACKING_BYTES = 2_000
ORDER_TEXT = "order+zlib"
"""Key of an order's compressed JSON, in the place of the order."""


def _packed_order(order: Order) -> bytes:
    return zlib.compress(order.model_dump_json().encode(), level=1)


class PackedSerializer(JsonPlusSerializer):
    """Stores large values compressed: every step of a run repeats the orders of the one before it.

    An order is written and compressed once for all steps, and stands in their values as that text.
    """

    def __init__(self, **known: Any) -> None:
        super().__init__(**known)
        self._orders = ModelMemo(_packed_order)

    def _without_orders(self, value: Any) -> Any:
        """The value with the text of each order in its place."""
        if isinstance(value, Order):
            return {ORDER_TEXT: self._orders.of(value)}
        return _mapped(value, self._without_orders)

    def dumps_typed(self, obj: Any) -> tuple[str, bytes]:
        """Type and bytes of a value."""
        kind, content = super().dumps_typed(self._without_orders(obj))
        if len(content) < WORTH_PACKING_BYTES:
            return kind, content
        return kind + PACKED, zlib.compress(content, level=1)

    def loads_typed(self, data: tuple[str, bytes]) -> Any:
        """The value of a type and its bytes, compressed or not."""
        kind, content = data
        if kind.endswith(PACKED):
            data = kind.removesuffix(PACKED), zlib.decompress(content)
        return _with_orders(super().loads_typed(data))


def _with_orders(value: Any) -> Any:
    """The value with each order in the place of its text."""
    if isinstance(value, dict) and ORDER_TEXT in value:
        return _order_of(value[ORDER_TEXT])
    return _mapped(value, _with_orders)


@lru_cache(maxsize=MODELS_KEPT)
def _order_of(text: bytes) -> Order:
    """Read once: a state holds an order several times, and is read at every decision on it."""
    return Order.model_validate_json(zlib.decompress(text))


def _mapped(value: Any, made: Callable[[Any], Any]) -> Any:
    """A container with something made of each of its values; anything else as it is."""
    if isinstance(value, dict):
        return {key: made(part) for key, part in value.items()}
    if type(value) in (list, tuple):
        return type(value)(made(part) for part in value)
    return Send(value.node, made(value.arg), timeout=value.timeout) if type(value) is Send else value


class CheckpointFile(SqliteSaver):
    """LangGraph's saver on SQLite; what cannot be written whole, on a full disk, is taken back whole.

    The library's own cursor commits what a failed statement left, and leaves a failed commit's lock on the file.
    """

    def __init__(self, path: Path, serde: JsonPlusSerializer) -> None:
        self._path = path
        connection = sqlite3.connect(path, check_same_thread=False, timeout=30)
        super().__init__(connection, serde=serde)
        with faults_named(TITLE, path, sqlite3.Error):
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("PRAGMA synchronous=NORMAL")
            self.setup()

    @contextmanager
    def cursor(self, transaction: bool = True) -> Generator[sqlite3.Cursor]:
        """A cursor under the lock; one transaction unless told otherwise."""
        with self.lock, faults_named(TITLE, self._path, sqlite3.Error), closing(self.conn.cursor()) as cursor:
            try:
                yield cursor
                if transaction:
                    self.conn.commit()
            except BaseException:  # an interrupt, too: nothing half-done stays
                if self.conn.in_transaction:
                    self.conn.rollback()
                raise


def open_checkpointer(operations: Operations) -> tuple[BaseCheckpointSaver[Any], Callable[[], None]]:
    """The saver beside the other operations tables, and what closes it.

    State holds JSON and orders: the types of an order are the only ones of ours rebuilt from a checkpoint.
    """
    serde = PackedSerializer(allowed_msgpack_modules=ORDER_TYPES)
    if operations.is_sqlite:
        saver = CheckpointFile(Path(operations.checkpointer_url), serde)
        return saver, saver.conn.close
    return _postgres(operations.checkpointer_url, serde)


def checkpoint_tables() -> list[str]:
    """The statements that make the saver's tables in PostgreSQL, within a transaction."""
    from langgraph.checkpoint.postgres import PostgresSaver

    return [statement.replace("CONCURRENTLY ", "") for statement in PostgresSaver.MIGRATIONS]


def _postgres(url: str, serde: JsonPlusSerializer) -> tuple[BaseCheckpointSaver[Any], Callable[[], None]]:
    from langgraph.checkpoint.postgres import PostgresSaver
    from psycopg.rows import dict_row
    from psycopg_pool import ConnectionPool

    pool: ConnectionPool[Any] = ConnectionPool(
        url,
        min_size=1,
        max_size=POOL_SIZE,
        kwargs={"autocommit": True, "prepare_threshold": 0, "row_factory": dict_row},
        open=True,
    )
    saver = PostgresSaver(pool, serde=serde)
    saver.setup()
    return saver, pool.close
