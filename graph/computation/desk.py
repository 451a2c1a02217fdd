"""The computations of a run, memoised by the versions that they are made from.

Nodes ask the desk instead of carrying arrays through checkpoints: the same versions give the same values, in
this process, after a crash in the next one, and in a replay.
"""

from collections import OrderedDict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace

import numpy as np

from graph.computation.estimate_desk import DeskSettings, EstimateDesk, Scope
from store.warehouse import Warehouse
from tools.domain.datasets import Dataset
from tools.domain.orders import PurchaseOrder
from tools.domain.plans import OrderPlan, PlanOption
from tools.domain.snapshots import OrderingSettings, PlanningSnapshot, SharedLimits
from tools.forecasting.planned import planned
from tools.network import ItemExposure, build_graph, exposure, propagate
from tools.network.disruption import Disruption
from tools.ordering import Catalogue, build_snapshot, combine, plan_options, reservation_prices
from tools.ordering.options import profiles_of
from tools.ordering.pricing.catalogue_prices import Priced
from tools.ordering.problem.limit_periods import with_stated_limits
from tools.ordering.verification.rules import PLACING

__all__ = ["Desk", "DeskSettings", "Scope", "adjusted", "shared_limits"]


CATALOGUES_KEPT = 3
"""Priced catalogues kept: of a run's scope, of that with what its gates capped, and with what people turned down."""


class Desk(EstimateDesk):
    """Memoised computations over one warehouse; safe to use from several threads."""

    def __init__(
        self,
        warehouse: Warehouse,
        settings: DeskSettings | None = None,
        protected: Callable[[], Collection[str]] = tuple,
    ) -> None:
        super().__init__(warehouse, settings, protected)
        self._catalogues: OrderedDict[Scope, Catalogue] = OrderedDict()

    def disruption(self, scope: Scope) -> Disruption:
        """What the alerts do to suppliers, orders and items."""
        dataset = self.dataset(scope.dataset_version)

        def compute() -> Disruption:
            return propagate(build_graph(dataset), scope.typed_alerts, dataset, dataset.as_of)

        return self._memo(("disruption", scope.dataset_version, scope.alerts), compute)

    def exposures(self, scope: Scope) -> tuple[ItemExposure, ...]:
        """Days of cover against days to recover, along the network."""
        dataset = self.dataset(scope.dataset_version)
        estimates = self.estimates(scope)
        daily = {made.item_id: float(made.mean().mean()) / estimates.period.days for made in estimates.forecasts}
        return self._memo(
            ("exposures", scope.dataset_version, scope.items_digest, scope.estimate_version),
            lambda: tuple(exposure(build_graph(dataset), dataset, estimates.lead_times, daily)),
            scope.kept,
        )

    def snapshot(self, scope: Scope) -> PlanningSnapshot:
        """The planning problem of the scope."""
        return self._memo(("snapshot", scope), lambda: self._snapshot(scope), scope.kept)

    def _snapshot(self, scope: Scope) -> PlanningSnapshot:
        """The problem; where the gates capped or barred offers, the one before with those offers changed."""
        if scope.adjustments:
            return adjusted(self.snapshot(replace(scope, adjustments=())), dict(scope.adjustments))
        dataset = self.dataset(scope.dataset_version)
        wanted = set(scope.item_ids)
        part = replace(
            dataset,
            open_orders=(*dataset.open_orders, *as_if_ordered(dataset, scope.withheld)),
            items={key: item for key, item in dataset.items.items() if key in wanted},
            offers=tuple(offer for offer in dataset.offers if offer.item_id in wanted),
            demand={key: history for key, history in dataset.demand.items() if key[0] in wanted},
            on_hand={key: units for key, units in dataset.on_hand.items() if key[0] in wanted},
        )
        estimates = self.estimates(scope)
        snapshot = build_snapshot(
            part,
            [planned(made, dataset.as_of) for made in estimates.forecasts],
            estimates.lead_times,
            horizon=estimates.horizon_periods,
            limits=with_stated_limits(
                shared_limits(dataset, scope),
                dataset.limits,
                sorted(dataset.suppliers),
                as_of=dataset.as_of,
                period=estimates.period,
                horizon=estimates.horizon_periods,
            ),
            disruption=self.disruption(scope) if scope.alerts != "[]" else None,
            seed=estimates.seed,
            yields=self.yields(dataset.version),
        )
        if scope.withheld:
            snapshot = replace(snapshot, open_orders=tuple(o for o in dataset.open_orders if o.status.is_open))
        return snapshot

    def groups(self, scope: Scope) -> dict[str, list[str]]:
        """Item groups that a planner chooses for: by criticality."""
        dataset = self.dataset(scope.dataset_version)
        found: dict[str, list[str]] = {}
        for item_id in scope.item_ids:
            found.setdefault(dataset.items[item_id].criticality.value, []).append(item_id)
        return dict(sorted(found.items()))

    def options(self, scope: Scope) -> tuple[PlanOption, ...]:
        """The computed options of every group."""
        exposed: dict[str, float] = {}
        for row in self.exposures(scope):
            exposed[row.item_id] = max(exposed.get(row.item_id, 0.0), row.money_at_risk)
        return self._memo(
            ("options", scope),
            lambda: plan_options(self._catalogue(scope), self.groups(scope), exposed),
            scope.kept,
        )

    def _catalogue(self, scope: Scope) -> Catalogue:
        """The scope's items priced under every profile.

        Where the gates capped offers or units were turned down, the other items keep their prices.
        """
        if scope not in self._catalogues:
            snapshot, base, changed = self.snapshot(scope), None, None
            if scope.adjustments or scope.withheld:
                base = self._catalogue(replace(scope, adjustments=(), withheld=()))
                own = {offer_id for offer_id, _ in (*scope.adjustments, *scope.withheld)}
                touched = np.array([offer_id in own for offer_id in snapshot.sources.offer_ids], dtype=np.bool_)
                changed = np.unique(snapshot.sources.item[touched])
            self._catalogues[scope] = Catalogue(snapshot, self.ordering(scope), base, changed)
        self._catalogues.move_to_end(scope)
        while len(self._catalogues) > CATALOGUES_KEPT:
            self._catalogues.popitem(last=False)
        return self._catalogues[scope]

    def plan(self, scope: Scope, chosen: Mapping[str, str]) -> OrderPlan:
        """The plan that the chosen options make together, under the shared limits."""
        return self._memo(
            ("plan", scope, tuple(sorted(chosen.items()))),
            lambda: combine(self._catalogue(scope), self.options(scope), chosen),
            scope.kept,
        )

    def priced(self, scope: Scope, chosen: Mapping[str, str]) -> Priced:
        """Every item's candidates as that plan prices them; not kept, for they are as large as the catalogue."""
        with self._lock:
            return self._catalogue(scope).priced_of(profiles_of(self.options(scope), chosen))

    def units_asked_beside(
        self, scope: Scope, chosen: Mapping[str, str], withheld: Sequence[tuple[str, float]]
    ) -> Mapping[str, float]:
        """Units that the same choice orders now, by offer id, if so many units of some offers were coming already."""
        beside = replace(scope, withheld=tuple(sorted(withheld)))

        def compute() -> Mapping[str, float]:
            plan = combine(self._catalogue(beside), self.options(scope), chosen)
            found: dict[str, float] = {}
            for line in (line for line in plan.lines if line.intent in PLACING):
                found[line.offer_id] = found.get(line.offer_id, 0.0) + line.quantity
            return found

        return self._memo(("units asked beside", beside, tuple(sorted(chosen.items()))), compute)

    def reservation_prices(
        self, scope: Scope, chosen: Mapping[str, str], line_ids: frozenset[str]
    ) -> Mapping[str, float]:
        """Line id to the unit price above which the next best would cost less, of those lines that order now."""

        def compute() -> Mapping[str, float]:
            plan, priced = self.plan(scope, chosen), self.priced(scope, chosen)
            return reservation_prices(self.snapshot(scope), plan, line_ids, priced)

        return self._memo(("reservation prices", scope, tuple(sorted(chosen.items())), line_ids), compute)

    def ordering(self, scope: Scope) -> OrderingSettings:
        """The ordering engine's settings for the scope's planning bucket."""
        return self._settings.ordering(self.period(scope.dataset_version))


def shared_limits(dataset: Dataset, scope: Scope) -> SharedLimits:
    """What the scope's items share; what stays as it was planned beside them is taken off."""
    capacities = [site.storage_capacity for site in dataset.sites.values()]
    known = [capacity for capacity in capacities if capacity is not None]
    worth, volume = dict[str, float](), 0.0
    for offer_id, units in scope.beside:
        offer = dataset.offer_of[offer_id]
        value = units * offer.unit_price_at(units)
        worth[offer.supplier_id] = worth.get(offer.supplier_id, 0.0) + value
        volume += units * dataset.items[offer.item_id].storage_volume
    for key in {(dataset.offer_of[name].item_id, dataset.offer_of[name].site_id) for name, _ in scope.beside}:
        volume += max(dataset.on_hand.get(key, 0.0), 0.0) * dataset.items[key[0]].storage_volume
    least = {key: supplier.min_order_value - worth.get(key, 0.0) for key, supplier in dataset.suppliers.items()}
    complete = bool(known) and len(known) == len(capacities)
    return SharedLimits(
        budget=max(scope.budget - sum(worth.values()), 0.0),
        storage=max(sum(known) - volume, 0.0) if complete else float("inf"),
        supplier_min_order_value=np.array([max(least[key], 0.0) for key in sorted(dataset.suppliers)]),
    )


def adjusted(snapshot: PlanningSnapshot, largest: Mapping[str, float]) -> PlanningSnapshot:
    """The snapshot with offers capped or barred as the gates asked."""
    if not largest:
        return snapshot
    sources = snapshot.sources
    caps = np.array([largest.get(offer_id, np.inf) for offer_id in sources.offer_ids])
    bounded = np.minimum(sources.max_quantity, caps)
    return replace(
        snapshot,
        sources=replace(
            sources,
            max_quantity=np.where(caps > 0, bounded, sources.max_quantity),
            orderable=sources.orderable & (caps > 0) & (bounded >= sources.moq),
        ),
    )


def as_if_ordered(dataset: Dataset, withheld: Sequence[tuple[str, float]]) -> tuple[PurchaseOrder, ...]:
    """Orders of today for units that a person decided not to order, by offer id; no ERP knows them."""
    return tuple(
        PurchaseOrder(
            order_id=f"withheld {offer.offer_id}",
            item_id=offer.item_id,
            supplier_id=offer.supplier_id,
            site_id=offer.site_id,
            quantity=units,
            order_date=dataset.as_of,
        )
        for offer, units in ((dataset.offer_of[offer_id], units) for offer_id, units in withheld)
        if units > 0
    )
