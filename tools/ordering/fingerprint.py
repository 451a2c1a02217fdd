"""A content hash of a planning snapshot: equal problems, equal hash."""

from collections.abc import Callable
from dataclasses import fields, is_dataclass
from hashlib import sha256

import numpy as np

from tools.domain.snapshots import PlanningSnapshot


def snapshot_hash(snapshot: PlanningSnapshot) -> str:
    """Hex SHA-256 over every field, arrays by dtype, shape and bytes."""
    digest = sha256()
    _feed(digest.update, snapshot)
    return digest.hexdigest()


def _feed(update: Callable[[bytes | memoryview], object], value: object) -> None:
    if isinstance(value, np.ndarray):
        update(f"{value.dtype.str}{value.shape}".encode())
        update(np.ascontiguousarray(value).data)
    elif is_dataclass(value):
        for field in fields(value):
            update(field.name.encode())
            _feed(update, getattr(value, field.name))
    elif isinstance(value, dict):
        update(repr(sorted(value.items())).encode())
    else:
        update(repr(value).encode())
