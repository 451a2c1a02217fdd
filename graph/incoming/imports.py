"""A new dataset version from a folder: stored, the sandbox ERP started over, and what is untrue by now voided."""

from collections.abc import Collection, Mapping
from dataclasses import asdict, replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import orjson

from graph.incoming.demand_reports import demand_words
from graph.incoming.moved_supply import moved_needs
from graph.incoming.unexplained import references
from graph.parts import Parts
from store.ingest import import_folder

SANDBOX_SAMPLES = 100
"""Lead-time draws per offer that the sandbox ERP is seeded with."""


class Imports:
    """Reads folders into the home whose databases these are."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def read_folder(self, folder: str, as_of: date | None, *, lenient: bool) -> Mapping[str, Any]:
        """Read a folder into a new dataset version, and start the sandbox ERP over from it."""
        before = self._parts.warehouse.active_version()
        report = import_folder(Path(folder), as_of, self._parts.warehouse, lenient=lenient)
        if report.version:
            self._seed_erp(report.version)
            self.void_what_moved(before, report.version)
        found = demand_words(self._parts.context.desk.dataset(report.version)) if report.version else []
        return orjson.loads(orjson.dumps({**asdict(report), "demand": found}, default=str))

    def void_what_moved(self, before: str | None, active: str) -> None:
        """Orders that wait on facts which another dataset version no longer holds cannot be signed any more."""
        waiting = self._parts.operations.waiting_orders()
        if before is not None and before != active and waiting:
            desk = self._parts.context.desk
            self._parts.operations.supply_moved(moved_needs(waiting, desk.dataset(before), desk.dataset(active)))

    def seed_empty_erp(self) -> None:
        """A sandbox ERP that was started afresh takes over the active dataset without the orders it lost of ours."""
        active = self._parts.warehouse.active_version()
        if active is None or not self._parts.erp.is_empty:
            return
        standing = self._parts.context.desk.dataset(active).open_orders
        lost = self._parts.operations.own_references({ref for order in standing for ref in references(order)})
        self._seed_erp(active, without=lost)

    def _seed_erp(self, version: str, without: Collection[str] = ()) -> None:
        desk, seed = self._parts.context.desk, self._parts.settings.seed
        known = desk.dataset(version)
        kept = tuple(order for order in known.open_orders if not set(without).intersection(references(order)))
        dataset = replace(known, open_orders=kept)
        days = {
            offer_id: [int(day) for day in made.sample(np.random.default_rng(seed), SANDBOX_SAMPLES)]
            for offer_id, made in desk.lead_times(version).items()
        }
        daily = {
            item: float(history.quantities.sum()) / max(1, int((history.dates[-1] - history.dates[0]).astype(int)))
            for (item, _), history in dataset.demand.items()
            if history.dates.size > 1
        }
        self._parts.erp.seed_from(dataset, days, daily)
        changes = self._parts.erp.changes
        self._parts.operations.note_erp_changes(changes, read=changes)
        self._parts.operations.erp_started_over()
