"""Candidate orders of a whole catalogue, priced once: kept, priced anew for a few items, or mixed item by item.

An item's candidates and their prices depend on its own data, sources and settings alone, never on the items beside
it, so rows of several pricings make one: bit for bit what pricing everything together gives. Nothing is copied for
it: a pricing says of each item in which batch it stands.
"""

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, fields, replace
from itertools import chain
from typing import TypeVar

import numpy as np

from tools.domain.arrays import IntArray
from tools.domain.progress import did
from tools.domain.snapshots import OrderingSettings, PlanningSnapshot
from tools.ordering.candidates.columns import Columns
from tools.ordering.limits.allocation import limits_may_bind
from tools.ordering.limits.limit_use import stored_volumes
from tools.ordering.pricing.floors import held_to_floors
from tools.ordering.pricing.items import Batch, Part, batches_of, price_items, take_items
from tools.ordering.problem.fingerprint import snapshot_hash
from tools.ordering.problem.levels import ItemCosts, SourceLevels
from tools.ordering.problem.ordering_problem import OrderingProblem
from tools.ordering.stochastic.continuations import Continuation, PolicyTables
from tools.ordering.stochastic.rollout import BATCH_THREADS

Row = TypeVar("Row", ItemCosts, SourceLevels, Columns)


@dataclass(frozen=True)
class Priced:
    """Every item's candidates; a batch may hold items that stand elsewhere by now."""

    digest: str
    """Hash of the snapshot."""
    shared: bool
    """Whether items compete for limits, so that smaller orders were priced too."""
    batches: tuple[Batch, ...]
    batch_of: IntArray
    """(N,) index of the batch in which each item stands."""
    row_of: IntArray
    """(N,) its row there."""

    def parts(self) -> Iterator[Part]:
        """The batches, each with the rows that stand there, ascending; those without any are passed over."""
        order = np.argsort(self.batch_of, kind="stable")
        ends = np.searchsorted(self.batch_of[order], np.arange(len(self.batches) + 1))
        for batch, first, end in zip(self.batches, ends[:-1], ends[1:], strict=True):
            if end > first:
                yield batch, np.sort(self.row_of[order[first:end]])

    def among(self, items: IntArray) -> Iterator[Batch]:
        """Some items alone, ascending, in the batches in which they stand."""
        wanted = np.zeros(self.batch_of.size, dtype=np.bool_)
        wanted[items] = True
        for batch, rows in self.parts():
            kept = rows[wanted[batch.items[rows]]]
            if kept.size:
                yield taken(batch, kept)

    def of_item(self, item: int) -> Batch:
        """One item alone, (N = 1), as it was priced."""
        return taken(self.batches[int(self.batch_of[item])], self.row_of[[item]])


def price(snapshot: PlanningSnapshot, settings: OrderingSettings, digest: str = "") -> Priced:
    """Price every item on all cores. `digest` is the snapshot's hash where it is known."""
    shared = limits_may_bind(snapshot)
    parts = list(batches_of(snapshot, np.arange(snapshot.n_items)))
    with ThreadPoolExecutor(os.cpu_count() or 1, thread_name_prefix=BATCH_THREADS) as pool:
        hashed = pool.submit(lambda: digest or snapshot_hash(snapshot))
        batches = _on_all_cores(snapshot, settings, parts, pool, shared=shared)
        return _standing(hashed.result(), batches, snapshot.n_items, shared=shared)


def price_changed(
    known: Priced, snapshot: PlanningSnapshot, settings: OrderingSettings, changed: IntArray, digest: str = ""
) -> Priced:
    """What pricing `snapshot` gives, where settings and terms differ from the known ones for `changed` items only."""
    if changed.size == snapshot.n_items or limits_may_bind(snapshot) != known.shared:
        return price(snapshot, settings, digest)
    parts = list(batches_of(snapshot, changed))
    with ThreadPoolExecutor(os.cpu_count() or 1, thread_name_prefix=BATCH_THREADS) as pool:
        hashed = pool.submit(lambda: digest or snapshot_hash(snapshot))
        fresh = _on_all_cores(snapshot, settings, parts, pool, shared=known.shared)
        return _standing(hashed.result(), [*known.batches, *fresh], snapshot.n_items, shared=known.shared)


def _on_all_cores(
    snapshot: PlanningSnapshot,
    settings: OrderingSettings,
    parts: Sequence[IntArray],
    pool: ThreadPoolExecutor,
    *,
    shared: bool,
) -> list[Batch]:
    """The first part is priced here: it compiles what the others use, and may use all cores itself."""

    def priced(items: IntArray) -> Batch:
        return _finished(price_items(snapshot, settings, items, shared=shared), settings, shared)

    found = list[Batch]()
    try:
        for batch in chain(map(priced, parts[:1]), pool.map(priced, parts[1:])):
            found.append(batch)
            did(batch.items.size)
    except BaseException:  # an interrupt, too: nothing half-done stays
        pool.shutdown(wait=False, cancel_futures=True)  # what has not begun is not waited for
        raise
    return found


def _standing(digest: str, batches: Sequence[Batch], n_items: int, *, shared: bool) -> Priced:
    """Each item stands in the last batch that holds it."""
    batch_of, row_of = np.zeros(n_items, dtype=np.int64), np.zeros(n_items, dtype=np.int64)
    for index, batch in enumerate(batches):
        batch_of[batch.items], row_of[batch.items] = index, np.arange(batch.items.size)
    return _without_left_batches(Priced(digest, shared, tuple(batches), batch_of, row_of))


def _without_left_batches(priced: Priced) -> Priced:
    """The same without batches in which no item stands."""
    used, batch_of = np.unique(priced.batch_of, return_inverse=True)
    return replace(priced, batches=tuple(priced.batches[index] for index in used.tolist()), batch_of=batch_of)


def _finished(batch: Batch, settings: OrderingSettings, shared: bool) -> Batch:
    """Held to the fill-rate floors, and with the volumes that a limit of storage is about."""
    held = held_to_floors(batch, settings, shared=shared)
    if not np.isfinite(batch.snapshot.limits.storage):
        return held
    return replace(held, stored=stored_volumes(held.snapshot, held.columns))


def mixed(known: Sequence[Priced], choice: IntArray) -> Priced:
    """Each item as the pricing of its choice has it: (N,) indices into pricings of one snapshot."""
    first = np.cumsum([0, *(len(priced.batches) for priced in known)])[:-1]
    items = np.arange(choice.size)
    batch_of = np.stack([priced.batch_of for priced in known])[choice, items] + first[choice]
    row_of = np.stack([priced.row_of for priced in known])[choice, items]
    batches = tuple(batch for priced in known for batch in priced.batches)
    return _without_left_batches(Priced(known[0].digest, known[0].shared, batches, batch_of, row_of))


def taken(batch: Batch, rows: IntArray) -> Batch:
    """Some of a batch's items, rows ascending, as they were priced."""
    if rows.size == batch.items.size:
        return batch
    of = np.flatnonzero(np.isin(batch.snapshot.sources.item, rows))
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
        problem=OrderingProblem(
            take_items(batch.snapshot, rows),
            batch.problem.settings,
            _take_rows(batch.costs, rows),
            _take_rows(batch.levels, of),
        ),
        policy=Continuation(tables=PolicyTables(**{**tables, "whole": whole}), **arrays),
        columns=replace(columns, source=place[columns.source]),
        parts=batch.parts[rows],
        risk=batch.risk[rows],
        fill_later=batch.fill_later[rows],
        stored=None if batch.stored is None else batch.stored[rows],
        serial=batch.serial,
        rows=batch.rows[rows],
    )


def _take_rows(base: Row, rows: IntArray) -> Row:
    return replace(base, **{field.name: getattr(base, field.name)[rows] for field in fields(base)})
