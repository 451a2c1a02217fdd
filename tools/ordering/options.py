"""Computed alternatives per group of items, and the plan that a choice among them makes."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from tools.domain.arrays import IntArray
from tools.domain.errors import NotFound
from tools.domain.snapshots import (
    CostParts,
    OrderingSettings,
    OrderPlan,
    PlanLine,
    PlanningSnapshot,
    PlanOption,
)
from tools.ordering.levels import item_costs
from tools.ordering.plan import add_costs, plan_orders
from tools.ordering.priced import Priced, mixed, price, price_changed
from tools.ordering.profiles import PROFILES, Profile
from tools.ordering.verification import PLACING
from tools.ordering.writing import Written

PLAIN = "balanced"
"""The profile that changes nothing of the settings."""


class Catalogue:
    """A planning problem under every profile: its items are priced once for each, whatever is then chosen of them.

    With `base`, a catalogue of the same problem in which only the terms of the `changed` items' sources differ, the
    other items' prices are taken from there.
    """

    def __init__(
        self,
        snapshot: PlanningSnapshot,
        settings: OrderingSettings,
        base: "Catalogue | None" = None,
        changed: IntArray | None = None,
    ) -> None:
        self.snapshot, self.settings = snapshot, settings
        self._base, self._changed = base, changed
        self._priced = dict[str, Priced]()
        self._plans = dict[tuple[str, bool], OrderPlan]()
        self.written: Written = {} if base is None else base.written
        """Lines and outlooks of items, shared by all plans that order the same of them for the same reasons."""

    def settings_of(self, profile: Profile) -> OrderingSettings:
        """The settings with a profile for every item."""
        return profile.apply(self.settings, self.snapshot.item_ids)

    def priced(self, name: str) -> Priced:
        """Every item's candidates as a profile prices them."""
        if name not in self._priced:
            own = self.settings_of(PROFILES[name])
            if self._base is not None and self._changed is not None:
                found = price_changed(self._base.priced(name), self.snapshot, own, self._changed)
            elif name == PLAIN:
                found = price(self.snapshot, own)
            else:
                plain = self.priced(PLAIN)
                found = price_changed(plain, self.snapshot, own, PROFILES[name].touched(self.snapshot), plain.digest)
            self._priced[name] = found
        return self._priced[name]

    def plan(self, name: str, *, scheduled: bool = False) -> OrderPlan:
        """The plan in which every item follows one profile."""
        if (name, scheduled) not in self._plans:
            own = self.settings_of(PROFILES[name])
            made = self._planned(own, lambda: self.priced(name), scheduled=scheduled)
            self._plans[name, scheduled] = made
        return self._plans[name, scheduled]

    def plan_of(self, profile_of: Mapping[str, str], *, scheduled: bool = False) -> OrderPlan:
        """The plan in which each item follows its own profile, by item id; the plain one where none is named."""
        names = self._names(profile_of)
        used = sorted(set(names))
        if len(used) == 1:
            return self.plan(used[0], scheduled=scheduled)
        settings = self.settings
        for name in used:
            own = [item_id for item_id, wanted in zip(self.snapshot.item_ids, names, strict=True) if wanted == name]
            settings = PROFILES[name].apply(settings, own)
        return self._planned(settings, lambda: self.priced_of(profile_of), scheduled=scheduled)

    def priced_of(self, profile_of: Mapping[str, str]) -> Priced:
        """Every item's candidates as its own profile prices them."""
        names = self._names(profile_of)
        used = sorted(set(names))
        if len(used) == 1:
            return self.priced(used[0])
        return mixed([self.priced(name) for name in used], np.array([used.index(name) for name in names]))

    def _names(self, profile_of: Mapping[str, str]) -> list[str]:
        return [profile_of.get(item_id, PLAIN) for item_id in self.snapshot.item_ids]

    def _planned(self, settings: OrderingSettings, priced: Callable[[], Priced], *, scheduled: bool) -> OrderPlan:
        return plan_orders(self.snapshot, settings, scheduled=scheduled, priced=priced, written=self.written)


def plan_options(
    catalogue: Catalogue, groups: Mapping[str, Sequence[str]], exposure: Mapping[str, float]
) -> tuple[PlanOption, ...]:
    """Price every profile for every group; alternatives with the same orders are offered once.

    A profile whose plan has to leave out limits that the others keep is not offered beside them. When the plan of one
    is a schedule, those of the others are schedules too: their costs and services are counted alike.

    `exposure` is the money at risk per item under the worst single disruption considered. An option's own
    exposure scales it by the largest supplier's share of the item's order, since spreading it limits the loss.
    Costs use each item's own shortage cost, unweighted, so that options compare.
    """
    found = list[PlanOption]()
    plans = {name: catalogue.plan(name) for name in PROFILES}
    if any(plan.scheduled for plan in plans.values()):
        plans = {n: p if p.scheduled else catalogue.plan(n, scheduled=True) for n, p in plans.items()}
    sound = {name for name, plan in plans.items() if not plan.leaves_out_later_limits} or set(plans)
    for profile in (profile for profile in PROFILES.values() if profile.name in sound):
        plan = plans[profile.name]
        neutral = _neutral_costs(catalogue.snapshot, catalogue.settings_of(profile), plan)
        for group, item_ids in groups.items():
            found.append(_option(plan, neutral, profile, group, item_ids, exposure))
    return tuple(_distinct(found))


def _neutral_costs(
    snapshot: PlanningSnapshot, settings: OrderingSettings, plan: OrderPlan
) -> dict[tuple[str, str], CostParts]:
    """Each item's cost with the shortage part divided by the profile's weight."""
    weights = item_costs(snapshot, settings).weight
    return {
        (o.item_id, o.site_id): replace(o.cost, shortage=o.cost.shortage / max(float(w), 1e-12))
        for o, w in zip(plan.outlooks, weights, strict=True)
    }


def _option(
    plan: OrderPlan,
    neutral: Mapping[tuple[str, str], CostParts],
    profile: Profile,
    group: str,
    item_ids: Sequence[str],
    exposure: Mapping[str, float],
) -> PlanOption:
    members = set(item_ids)
    lines = tuple(line for line in plan.lines if line.item_id in members)
    outlooks = [o for o in plan.outlooks if o.item_id in members]
    placed = [line for line in lines if line.intent in PLACING]
    return PlanOption(
        option_id=f"{group}/{profile.name}",
        group=group,
        profile=profile.name,
        title=profile.title,
        item_ids=tuple(item_ids),
        order_value=sum(line.value for line in placed),
        cost=add_costs([neutral[o.item_id, o.site_id] for o in outlooks]),
        fill_rate=_mean([o.fill_rate for o in outlooks], 1.0),
        stockout_probability=_mean([o.stockout_probability for o in outlooks], 0.0),
        risk_exposure=sum(exposure.get(i, 0.0) * _largest_share(placed, i) for i in item_ids),
        suppliers=tuple(sorted({line.supplier_id for line in placed})),
        lines=lines,
        scheduled=plan.scheduled,
    )


def _mean(values: Sequence[float], empty: float) -> float:
    return sum(values) / len(values) if values else empty


def _largest_share(lines: Sequence[PlanLine], item_id: str) -> float:
    """Largest supplier's share of the item's order; 1 where nothing is ordered and nothing is spread."""
    by_supplier = dict[str, float]()
    for line in lines:
        if line.item_id == item_id:
            by_supplier[line.supplier_id] = by_supplier.get(line.supplier_id, 0.0) + line.quantity
    return max(by_supplier.values()) / sum(by_supplier.values()) if by_supplier else 1.0


def _distinct(options: Sequence[PlanOption]) -> list[PlanOption]:
    """By group, the first of every set of options that place the same orders."""
    seen = set[tuple[object, ...]]()
    kept = list[PlanOption]()
    for option in options:
        key = (option.group, *((line.line_id, line.quantity, line.intent) for line in option.lines))
        if key not in seen:
            seen.add(key)
            kept.append(option)
    return sorted(kept, key=lambda o: o.group)


def combine(catalogue: Catalogue, options: Sequence[PlanOption], chosen: Mapping[str, str]) -> OrderPlan:
    """One plan in which each group follows its chosen option's profile, within the shared limits.

    The groups compete for the limits together, so the candidates of all are chosen among anew rather than pasted.
    Without shared limits every line equals the chosen option's. NotFound.
    """
    scheduled = any(option.scheduled for option in options)
    return catalogue.plan_of(profiles_of(options, chosen), scheduled=scheduled)


def profiles_of(options: Sequence[PlanOption], chosen: Mapping[str, str]) -> dict[str, str]:
    """Item id to the profile of its group's chosen option. NotFound."""
    by_id = {option.option_id: option for option in options}
    profile_of = dict[str, str]()
    for group, option_id in chosen.items():
        option = by_id.get(option_id)
        if option is None or option.group != group:
            raise NotFound(
                f"Option {option_id!r} is not one of group {group!r}.",
                remedy="Choose among " + ", ".join(o.option_id for o in options if o.group == group) + ".",
                group=group,
                option_id=option_id,
            )
        profile_of |= dict.fromkeys(option.item_ids, option.profile)
    return profile_of
