"""A content hash of values that hold arrays: equal content, equal hash."""

from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from hashlib import sha256

import numpy as np


def content_hash(*values: object) -> str:
    """Hex SHA-256 over the values in turn: of dataclasses every field, of mappings every value by its key.

    Of arrays dtype, shape and bytes count; everything else as it is written out, so no array may stand in a sequence.
    """
    digest = sha256()
    for value in values:
        _feed(digest.update, value)
    return digest.hexdigest()


def _feed(update: Callable[[bytes | memoryview], object], value: object) -> None:
    if isinstance(value, np.ndarray):
        update(f"{value.dtype.str}{value.shape}".encode())
        update(np.ascontiguousarray(value).data if value.dtype.kind not in "mM" else value.tobytes())
    elif is_dataclass(value):
        for field in fields(value):
            update(field.name.encode())
            _feed(update, getattr(value, field.name))
    elif isinstance(value, Mapping):
        for key in sorted(value):
            update(repr(key).encode())
            _feed(update, value[key])
    else:
        update(repr(value).encode())
