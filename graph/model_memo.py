"""What is made of a model that passes through many steps of a run, made once: a frozen model is never changed."""

from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress
from typing import Generic, TypeVar

from pydantic import BaseModel

Model = TypeVar("Model", bound=BaseModel)
Made = TypeVar("Made")
KEPT = 256


class ModelMemo(Generic[Model, Made]):
    """Makes something of a frozen model once, while it is among those that were asked for last. Safe across threads."""

    def __init__(self, make: Callable[[Model], Made], size: int = KEPT) -> None:
        self._make = make
        self._size = size
        self._known: OrderedDict[int, tuple[Model, Made]] = OrderedDict()

    def of(self, model: Model) -> Made:
        """By identity, which is far cheaper than equality; what is kept keeps its model, so that no id comes again."""
        found = self._known.get(id(model))
        if found is None:
            found = self._known[id(model)] = (model, self._make(model))
            while len(self._known) > self._size:
                with suppress(KeyError):  # another thread took the last one
                    self._known.popitem(last=False)
        return found[1]
