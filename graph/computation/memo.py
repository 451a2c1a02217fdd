"""Values made once and kept by what they depend on."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from contextlib import AbstractContextManager, suppress
from typing import Generic, TypeVar, cast

from pydantic import BaseModel

Value = TypeVar("Value")
Model = TypeVar("Model", bound=BaseModel)
MISSING = object()
MODELS_KEPT = 256


class Memo:
    """The latest used values by key. What is there is found without waiting for anybody."""

    def __init__(self, size: int, lock: AbstractContextManager[object] | None = None) -> None:
        self._size = size
        self._lock = lock or threading.RLock()
        self._kept: OrderedDict[Hashable, object] = OrderedDict()

    def of(self, key: Hashable, compute: Callable[[], Value]) -> Value:
        """The value of a key; one thread at a time makes what is missing."""
        found = self._kept.get(key, MISSING)
        if found is MISSING:
            with self._lock:
                found = self._kept.get(key, MISSING)
                if found is MISSING:
                    found = self._kept[key] = compute()
                    while len(self._kept) > self._size:
                        self._kept.popitem(last=False)
        with suppress(KeyError):  # another thread gave it up meanwhile
            self._kept.move_to_end(key)
        return cast(Value, found)

    def __contains__(self, key: Hashable) -> bool:
        return key in self._kept


class MemoByKind:
    """Values whose key begins with their kind; of each kind as many are kept as its values are small."""

    def __init__(self, lock: AbstractContextManager[object] | None = None) -> None:
        self._lock = lock or threading.RLock()
        self._memos: dict[tuple[Hashable, int], Memo] = {}

    def of(self, key: tuple[Hashable, ...], compute: Callable[[], Value], kept: int) -> Value:
        """The value of a key; of those of its kind that ask for as many, the latest used `kept` stay."""
        memo = self._memos.setdefault((key[0], kept), Memo(kept, self._lock))
        return memo.of(key, compute)

    def has(self, key: tuple[Hashable, ...], kept: int) -> bool:
        """Whether the value is there."""
        memo = self._memos.get((key[0], kept))
        return memo is not None and key in memo


class ModelMemo(Generic[Model, Value]):
    """Makes something of a frozen model once, while it is among those that were asked for last. Safe across threads."""

    def __init__(self, make: Callable[[Model], Value], size: int = MODELS_KEPT) -> None:
        self._make = make
        self._size = size
        self._known: OrderedDict[int, tuple[Model, Value]] = OrderedDict()

    def of(self, model: Model) -> Value:
        """By identity, which is far cheaper than equality; what is kept keeps its model, so that no id comes again."""
        found = self._known.get(id(model))
        if found is None:
            found = self._known[id(model)] = (model, self._make(model))
            while len(self._known) > self._size:
                with suppress(KeyError):  # another thread took the last one
                    self._known.popitem(last=False)
        return found[1]
