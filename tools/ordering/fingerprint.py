"""A content hash of a planning snapshot: equal problems, equal hash."""

from dataclasses import fields
from hashlib import sha256

import numpy as np

from tools.domain.snapshots import PlanningSnapshot


def snapshot_hash(snapshot: PlanningSnapshot) -> str:
    """Hex SHA-256 over every field, arrays by dtype, shape and bytes."""
    digest = sha256()
    _feed(digest, snapshot)
    return digest.hexdigest()


def _feed(digest: "object", value: object) -> None:
    update = digest.update  # pyright: ignore[reportAttributeAccessIssue]
    if isinstance(value, np.ndarray):
        update(f"{value.dtype.str}{value.shape}".encode())
        update(np.ascontiguousarray(value).data)
    elif hasattr(value, "__dataclass_fields__"):
        for field in fields(value):  # pyright: ignore[reportArgumentType]
            update(field.name.encode())
            _feed(digest, getattr(value, field.name))
    elif isinstance(value, dict):
        update(repr(sorted(value.items())).encode())
    else:
        update(repr(value).encode())
