"""Values made once and kept by what they depend on."""

import threading
from collections.abc import Callable, Hashable
from contextlib import AbstractContextManager
from typing import TypeVar, cast

Value = TypeVar("Value")
MISSING = object()


class Memo:
    """The latest values by key, the first made given up first. What is there is found without waiting for anybody."""

    def __init__(self, size: int, lock: AbstractContextManager[object] | None = None) -> None:
        self._size = size
        self._lock = lock or threading.RLock()
        self._kept: dict[Hashable, object] = {}

    def of(self, key: Hashable, compute: Callable[[], Value]) -> Value:
        """The value of a key; one thread at a time makes what is missing."""
        found = self._kept.get(key, MISSING)
        if found is MISSING:
            with self._lock:
                found = self._kept.get(key, MISSING)
                if found is MISSING:
                    found = self._kept[key] = compute()
                    while len(self._kept) > self._size:
                        del self._kept[next(iter(self._kept))]
        return cast(Value, found)

    def __contains__(self, key: Hashable) -> bool:
        return key in self._kept
