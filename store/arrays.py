"""Arrays as bytes: what a stored distribution is made of, byte for byte."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from tools.domain.errors import IntegrityBroken

Array = NDArray[Any]


def to_bytes(arrays: Mapping[str, Array]) -> bytes:
    """Arrays behind one line of JSON that names them, their types and shapes.

    The bytes of an array stand by significance (all first bytes, then all second ones): paths compress to half.
    """
    parts = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
    head = orjson.dumps({name: [part.dtype.str, list(part.shape)] for name, part in parts.items()})
    return b"\n".join([head, b"".join(_shuffled(part) for part in parts.values())])


def from_bytes(content: bytes) -> dict[str, Array]:
    """The arrays that `to_bytes` was given. IntegrityBroken when the content is cut or is none of ours."""
    head, _, body = content.partition(b"\n")
    found: dict[str, Array] = {}
    place = 0
    try:
        for name, (kind, shape) in orjson.loads(head).items():
            dtype = np.dtype(kind)
            size = int(np.prod(shape)) * dtype.itemsize
            found[name] = _straight(body[place : place + size], dtype).reshape(shape)
            place += size
    except (ValueError, TypeError, AttributeError) as error:
        raise _broken() from error
    if place != len(body):
        raise _broken()
    return found


def _shuffled(array: Array) -> bytes:
    flat = np.frombuffer(array.tobytes(), dtype=np.uint8)
    return flat.reshape(-1, array.dtype.itemsize).T.tobytes()


def _straight(part: bytes, dtype: np.dtype[Any]) -> Array:
    flat = np.frombuffer(part, dtype=np.uint8)
    return np.frombuffer(flat.reshape(dtype.itemsize, -1).T.tobytes(), dtype=dtype)


def _broken() -> IntegrityBroken:
    return IntegrityBroken(
        "A stored distribution does not match its own description.",
        remedy="Restore the warehouse from a backup, or activate another version of the estimates.",
    )
