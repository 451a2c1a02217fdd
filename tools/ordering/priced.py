"""Candidate orders of a whole catalogue, priced once: kept, priced anew for a few items, or mixed item by item.

An item's candidates and their prices depend on its own data, sources and settings alone, never on the items beside
it, so rows of several pricings make one: bit for bit what pricing everything together gives.
"""

import os
from bisect import bisect_left
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, fields, replace
from itertools import count
from typing import TypeVar

import numpy as np

from tools.domain.arrays import IntArray
from tools.domain.snapshots import OrderingSettings, PlanningSnapshot
from tools.ordering.allocation import limits_may_bind
from tools.ordering.candidates import Columns
from tools.ordering.continuations import Continuation, PolicyTables
from tools.ordering.fingerprint import snapshot_hash
from tools.ordering.floors import held_to_floors
from tools.ordering.levels import ItemCosts, SourceLevels
from tools.ordering.limit_use import stored_volumes
from tools.ordering.pricing import Batch, batches_of, price_items, take_items
from tools.ordering.rollout import BATCH_THREADS

Row = TypeVar("Row", ItemCosts, SourceLevels, Columns)


@dataclass(frozen=True)
class Priced:
    """Every item's candidates, in batches in order of their items."""

    digest: str
    """Hash of the snapshot."""
    shared: bool
    """Whether items compete for limits, so that smaller orders were priced too."""
    batches: tuple[Batch, ...]
    origin: IntArray
    """(N,) the pricing that each item's candidates come from: equal numbers, equal candidates."""

    def of_item(self, item: int) -> Batch:
        """One item alone, (N = 1), as it was priced."""
        ends = [int(batch.items[-1]) for batch in self.batches]
        batch = self.batches[bisect_left(ends, item)]
        return _alone(batch, int(np.searchsorted(batch.items, item)))


_PRICINGS = count()


def price(snapshot: PlanningSnapshot, settings: OrderingSettings, digest: str = "") -> Priced:
    """Price every item on all cores. `digest` is the snapshot's hash where it is known."""
    shared = limits_may_bind(snapshot)
    parts, origin = list(batches_of(snapshot)), np.full(snapshot.n_items, next(_PRICINGS))

    def priced(items: IntArray) -> Batch:
        return _finished(price_items(snapshot, settings, items, shared=shared), settings, shared)

    first = priced(parts[0])
    if len(parts) == 1:
        return Priced(digest or snapshot_hash(snapshot), shared, (first,), origin)
    with ThreadPoolExecutor(os.cpu_count() or 1, thread_name_prefix=BATCH_THREADS) as pool:
        hashed = pool.submit(lambda: digest or snapshot_hash(snapshot))
        rest = list(pool.map(priced, parts[1:]))
        return Priced(hashed.result(), shared, (first, *rest), origin)


def _finished(batch: Batch, settings: OrderingSettings, shared: bool) -> Batch:
    """Held to the fill-rate floors, and with the volumes that a limit of storage is about."""
    held = held_to_floors(batch, settings, shared=shared)
    if not np.isfinite(batch.snapshot.limits.storage):
        return held
    return replace(held, stored=stored_volumes(held.snapshot, held.columns))


def price_changed(
    known: Priced, snapshot: PlanningSnapshot, settings: OrderingSettings, changed: IntArray, digest: str = ""
) -> Priced:
    """What pricing `snapshot` gives, where settings and terms differ from the known ones for `changed` items only."""
    if changed.size == snapshot.n_items or limits_may_bind(snapshot) != known.shared:
        return price(snapshot, settings, digest)
    found: list[Batch] = []
    for batch in known.batches:
        rows = np.flatnonzero(np.isin(batch.items, changed))
        if rows.size:
            part = take_items(snapshot, batch.items)
            fresh = _finished(price_items(part, settings, rows, shared=known.shared), settings, known.shared)
            batch = _with_rows(replace(batch, snapshot=part), rows, fresh, np.arange(rows.size))
        found.append(batch)
    origin = known.origin.copy()
    origin[changed] = next(_PRICINGS)
    return Priced(digest or snapshot_hash(snapshot), known.shared, tuple(found), origin)


def mixed(known: Sequence[Priced], choice: IntArray) -> Priced:
    """Each item as the pricing of its choice has it: (N,) indices into pricings of one snapshot."""
    found: list[Batch] = []
    for parts in zip(*(priced.batches for priced in known), strict=True):
        wanted = choice[parts[0].items]
        batch = parts[int(wanted[0])]
        for index in sorted(set(wanted.tolist()) - {int(wanted[0])}):
            rows = np.flatnonzero(wanted == index)
            batch = _with_rows(batch, rows, parts[index], rows)
        found.append(batch)
    origin = np.stack([priced.origin for priced in known])[choice, np.arange(choice.size)]
    return Priced(known[0].digest, known[0].shared, tuple(found), origin)


def _with_rows(base: Batch, rows: IntArray, other: Batch, own: IntArray) -> Batch:
    """The batch with its items at `rows` as `other` prices its items at `own`, one each; both ascend."""
    to = np.flatnonzero(np.isin(base.snapshot.sources.item, rows))
    of = np.flatnonzero(np.isin(other.snapshot.sources.item, own))
    place = np.zeros(max(other.snapshot.sources.item.size, 1), dtype=np.int64)
    place[of] = to
    width = max(base.columns.source.shape[1], other.columns.source.shape[1])
    depth = max(base.columns.source.shape[2], other.columns.source.shape[2])
    columns, theirs = _widened(base.columns, width, depth), _widened(other.columns, width, depth)
    theirs = replace(theirs, source=place[theirs.source])

    def beside(mine: np.ndarray, others: np.ndarray, missing: float) -> np.ndarray:
        return _put(_padded(mine, width, missing), rows, _padded(others, width, missing)[own])

    return replace(
        base,
        costs=_put_rows(base.costs, rows, other.costs, own),
        levels=_put_rows(base.levels, to, other.levels, of),
        policy=_policy(base.policy, rows, other.policy, own, place),
        columns=_put_rows(columns, rows, theirs, own),
        parts=beside(base.parts, other.parts, np.inf),
        risk=beside(base.risk, other.risk, 0.0),
        fill_later=beside(base.fill_later, other.fill_later, 0.0),
        stored=None if base.stored is None or other.stored is None else beside(base.stored, other.stored, 0.0),
    )


def _alone(batch: Batch, row: int) -> Batch:
    rows = np.array([row])
    of = np.flatnonzero(batch.snapshot.sources.item == row)
    place = np.zeros(max(batch.snapshot.sources.item.size, 1), dtype=np.int64)
    place[of] = np.arange(of.size)
    columns = _take_rows(batch.columns, rows)
    tables = {field.name: getattr(batch.policy.tables, field.name)[:, :, rows] for field in fields(PolicyTables)}
    whole = tables["whole"].copy()
    whole[..., 0] = np.where(whole[..., 0] >= 0, place[np.maximum(whole[..., 0], 0)], whole[..., 0])
    arrays = {
        field.name: getattr(batch.policy, field.name)[rows] for field in fields(Continuation) if field.name != "tables"
    }
    return Batch(
        items=batch.items[rows],
        snapshot=take_items(batch.snapshot, rows),
        costs=_take_rows(batch.costs, rows),
        levels=_take_rows(batch.levels, of),
        policy=Continuation(tables=PolicyTables(**{**tables, "whole": whole}), **arrays),
        columns=replace(columns, source=place[columns.source]),
        parts=batch.parts[rows],
        risk=batch.risk[rows],
        fill_later=batch.fill_later[rows],
        stored=None if batch.stored is None else batch.stored[rows],
    )


def _take_rows(base: Row, rows: IntArray) -> Row:
    return replace(base, **{field.name: getattr(base, field.name)[rows] for field in fields(base)})


def _policy(base: Continuation, rows: IntArray, other: Continuation, own: IntArray, place: IntArray) -> Continuation:
    """Settled policies: one table an item."""
    tables = {
        field.name: _put(getattr(base.tables, field.name), (slice(None), slice(None), rows), theirs[:, :, own])
        for field in fields(PolicyTables)
        for theirs in [getattr(other.tables, field.name)]
    }
    whole = tables["whole"]
    source = whole[:, :, rows, 0]
    whole[:, :, rows, 0] = np.where(source >= 0, place[np.maximum(source, 0)], source)
    arrays = {
        field.name: _put(getattr(base, field.name), rows, getattr(other, field.name)[own])
        for field in fields(Continuation)
        if field.name != "tables"
    }
    return Continuation(tables=PolicyTables(**tables), **arrays)


def _put_rows(base: Row, rows: IntArray, other: Row, own: IntArray) -> Row:
    """A dataclass of arrays with some of their rows from another one."""
    names = [field.name for field in fields(base)]
    return replace(base, **{name: _put(getattr(base, name), rows, getattr(other, name)[own]) for name in names})


def _put(array: np.ndarray, where: IntArray | tuple[slice | IntArray, ...], values: np.ndarray) -> np.ndarray:
    made = array.copy()
    made[where] = values
    return made


def _widened(columns: Columns, width: int, depth: int) -> Columns:
    """Room for more candidates and more sources in each; what is added is not valid."""

    def wider(array: np.ndarray) -> np.ndarray:
        added = [(0, 0), (0, width - array.shape[1]), (0, depth - array.shape[2])]
        return np.pad(array, added)

    return Columns(
        wider(columns.source),
        wider(columns.quantity),
        np.pad(columns.valid, [(0, 0), (0, width - columns.valid.shape[1])]),
        wider(columns.wanted),
    )


def _padded(array: np.ndarray, width: int, missing: float) -> np.ndarray:
    added = [(0, 0), (0, width - array.shape[1]), *[(0, 0)] * (array.ndim - 2)]
    return np.pad(array, added, constant_values=missing)
