"""Lines and outlooks of a plan, written at once or, for a large catalogue, when they are first looked at."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeVar, overload

import numpy as np

from tools.domain.arrays import IntArray
from tools.domain.plans import ItemOutlook, PlanLine
from tools.domain.snapshots import OrderingSettings, PlanningSnapshot
from tools.ordering.explaining.explanation import Scene, intended_lines, lines_now
from tools.ordering.explaining.outlook import outlook
from tools.ordering.limits.allocation import Allocation
from tools.ordering.pricing.catalogue_prices import Priced, taken
from tools.ordering.pricing.items import Batch, pick
from tools.ordering.problem.open_orders import excess_order_lines
from tools.ordering.problem.quantities import TINY
from tools.ordering.stochastic.rollout import Rollout, play

PLAYS_KEPT = 8
"""Recorded plays of batches kept while a plan is read: neighbours may be priced in one batch for each profile."""
T = TypeVar("T")
Written = dict[tuple[Any, ...], Any]
"""Lines and outlooks by item, batch and row of its candidates, the chosen one and the prices of the limits."""


class Deferred(Sequence[T]):
    """Entries written in groups, each when it is first looked at; equal to a tuple of the same entries."""

    def __init__(self, sizes: IntArray | None, groups: int, make: Callable[[int], tuple[T, ...]]) -> None:
        self._make, self._groups, self._made = make, groups, dict[int, tuple[T, ...]]()
        self._ends = None if sizes is None else np.cumsum(sizes)

    def _group(self, index: int) -> tuple[T, ...]:
        if index not in self._made:
            self._made[index] = self._make(index)
        return self._made[index]

    def _bounds(self) -> IntArray:
        if self._ends is None:
            self._ends = np.cumsum([len(self._group(index)) for index in range(self._groups)])
        return self._ends

    def __len__(self) -> int:
        """Entries in all groups."""
        ends = self._bounds()
        return int(ends[-1]) if ends.size else 0

    @overload
    def __getitem__(self, index: int) -> T: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[T, ...]: ...
    def __getitem__(self, index: int | slice) -> T | tuple[T, ...]:
        """One entry, or a tuple of several."""
        if isinstance(index, slice):
            return tuple(self[place] for place in range(*index.indices(len(self))))
        place = index + len(self) if index < 0 else index
        if not 0 <= place < len(self):
            raise IndexError(index)
        ends = self._bounds()
        group = int(np.searchsorted(ends, place, side="right"))
        return self._group(group)[place - (int(ends[group - 1]) if group else 0)]

    def __iter__(self) -> Iterator[T]:
        """All entries in order."""
        for group in range(self._groups):
            yield from self._group(group)

    def __eq__(self, other: object) -> bool:
        """Whether the entries are the same."""
        return isinstance(other, Sequence) and tuple(self) == tuple(other)  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]

    __hash__ = None  # type: ignore[assignment]

    def __reduce__(self) -> tuple[type, tuple[Any, ...]]:
        """Pickled as a tuple."""
        return tuple, (tuple(self),)


@dataclass(frozen=True)
class Writer:
    """Writes what a plan says about one item, from its batch and the chosen column."""

    snapshot: PlanningSnapshot
    settings: OrderingSettings
    priced: Priced
    allocation: Allocation
    written: Written | None = None
    """What was written of the same candidates before; None to keep nothing."""

    def __post_init__(self) -> None:
        """Keep the last few plays: neighbours in a plan are mostly of one batch."""
        known = self.allocation
        same = (known.names, known.shadow_prices.tobytes(), known.joint_cost.tobytes())
        object.__setattr__(self, "_reasons", same)
        object.__setattr__(self, "_play", lru_cache(maxsize=PLAYS_KEPT)(self._played))

    def _played(self, index: int) -> tuple[Batch, Rollout]:
        """A batch's items that stand there, and the play of what is ordered of each."""
        batch = self.priced.batches[index]
        rows = np.sort(self.priced.row_of[np.flatnonzero(self.priced.batch_of == index)])
        known = taken(batch, rows)
        columns = pick(known.columns, self.allocation.chosen[known.items])
        return known, play(known.problem, known.policy, columns, record=True)

    def scene(self, item: int) -> Scene:
        """Everything that the item's lines are written from."""
        batch, played = self._play(int(self.priced.batch_of[item]))  # pyright: ignore[reportAttributeAccessIssue]
        row, column = int(np.searchsorted(batch.items, item)), int(self.allocation.chosen[item])
        return Scene(batch, row, column, played, self.settings, self.allocation)

    def _kept(self, what: str, item: int, write: Callable[[Scene], T]) -> T:
        """What is written of an item, taken over where the same candidate was chosen before under the same prices."""
        if self.written is None:
            return write(self.scene(item))
        batch, row = self.priced.batches[int(self.priced.batch_of[item])], int(self.priced.row_of[item])
        column = int(self.allocation.chosen[item])
        key = (what, item, batch.serial, int(batch.rows[row]), column, self._reasons)  # pyright: ignore[reportAttributeAccessIssue]
        if key not in self.written:
            self.written[key] = write(self.scene(item))
        return self.written[key]

    def outlooks(self) -> Deferred[ItemOutlook]:
        """By row of the snapshot."""
        ones = np.ones(self.snapshot.n_items, dtype=np.int64)
        return Deferred(ones, ones.size, lambda item: (self._kept("outlook", item, outlook),))

    def lines(self) -> Deferred[PlanLine]:
        """Lines to place now and proposals for open orders, by item, site and source."""
        extra = dict[tuple[str, str], list[PlanLine]]()
        for line in excess_order_lines(self.snapshot, self.settings):
            extra.setdefault((line.item_id, line.site_id), []).append(line)
        keys = list(zip(self.snapshot.item_ids, self.snapshot.site_ids, strict=True))
        order = self._order(keys)
        sizes = self._lines_placed() + np.array([len(extra.get(key, ())) for key in keys], dtype=np.int64)

        def make(rank: int) -> tuple[PlanLine, ...]:
            item = order[rank]
            if not sizes[item]:
                return ()
            return sort_lines([*self._kept("lines", item, lines_now), *extra.get(keys[item], ())])

        return Deferred(sizes[order], len(order), make)

    def intended(self) -> Deferred[PlanLine]:
        """Lines of later periods, by item, site and source."""
        order = self._order(list(zip(self.snapshot.item_ids, self.snapshot.site_ids, strict=True)))
        return Deferred(None, len(order), lambda rank: sort_lines(self._kept("later", order[rank], intended_lines)))

    def _order(self, keys: list[tuple[str, str]]) -> list[int]:
        return sorted(range(len(keys)), key=keys.__getitem__)

    def _lines_placed(self) -> IntArray:
        placed = np.zeros(self.snapshot.n_items, dtype=np.int64)
        for batch, rows in self.priced.parts():
            items = batch.items[rows]
            placed[items] = (batch.columns.quantity[rows, self.allocation.chosen[items]] > TINY).sum(axis=1)
        return placed


def sort_lines(lines: Sequence[PlanLine]) -> tuple[PlanLine, ...]:
    """By item, site, source and period."""
    return tuple(sorted(lines, key=lambda line: (line.item_id, line.site_id, line.offer_id, line.period, line.line_id)))
