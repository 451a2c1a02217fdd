"""Computed alternatives per group of items, and the plan that a choice among them makes."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property

import numpy as np

from tools.domain.arrays import BoolArray, IntArray
from tools.domain.errors import NotFound
from tools.domain.plans import CostParts, OrderPlan, PlanOption
from tools.domain.progress import expect, look_up
from tools.domain.snapshots import OrderingSettings, PlanningSnapshot
from tools.ordering.explaining.plan_lines import Written
from tools.ordering.option_figures import ItemFigures, Outcomes, Placed, figures_of
from tools.ordering.plan import Draft, draft_orders, write_plan
from tools.ordering.pricing.catalogue_prices import Priced, mixed, price, price_changed
from tools.ordering.problem.open_orders import excess_order_lines
from tools.ordering.problem.quantities import TINY
from tools.ordering.problem.validation import check_snapshot
from tools.ordering.profiles import PROFILES, Profile

PLAIN = "balanced"
"""The profile that changes nothing of the settings."""


class Catalogue:
    """A planning problem under every profile: its items are priced once for each, whatever is then chosen of them.

    With `base`, a catalogue of the same problem in which only the terms of the `changed` items' sources differ, the
    other items' prices are taken from there. A profile under which no item orders that does not order anyway prices
    only those anew that do: of the others nothing can be chosen.
    """

    def __init__(
        self,
        snapshot: PlanningSnapshot,
        settings: OrderingSettings,
        base: "Catalogue | None" = None,
        changed: IntArray | None = None,
    ) -> None:
        check_snapshot(snapshot, settings)
        self.snapshot, self.settings = snapshot, settings
        self._base, self._changed = base, changed
        self._priced = dict[str, Priced]()
        self._drafts = dict[tuple[str, bool], Draft | OrderPlan]()
        self.written: Written = {} if base is None else base.written
        """Lines and outlooks of items, shared by all plans that order the same of them for the same reasons."""
        self.outcomes = Outcomes(settings) if base is None else base.outcomes
        """Service of candidates, shared likewise."""

    @cached_property
    def in_play(self) -> BoolArray:
        """(N,) items whose plain prices say to order something now; those left alone are so under a leaner profile too.

        All of them where limits of later periods make a schedule, which is not chosen from these prices.
        """
        found = np.ones(self.snapshot.n_items, dtype=np.bool_)
        if self.snapshot.limits.reach_later:
            return found
        for batch, rows in self.priced(PLAIN).parts():
            best = np.argmin(batch.total[rows], axis=1)
            found[batch.items[rows]] = batch.columns.quantity[rows, best].max(axis=1, initial=0.0) > TINY
        return found

    def priced_anew(self, name: str) -> BoolArray:
        """(N,) items that a profile is applied to: all where a shortage weighs more, else those in play.

        A weightier shortage is not told from the plain candidates: their continuation leaves later service as it was.
        """
        if PROFILES[name].shortage_weight > 1.0:
            return np.ones(self.snapshot.n_items, dtype=np.bool_)
        return self.in_play

    def settings_of(self, names: Sequence[str]) -> OrderingSettings:
        """The settings with a profile for every item that it is applied to, (N,) names."""
        settings = self.settings
        for name in sorted(set(names) - {PLAIN}):
            own = [
                item_id
                for item_id, wanted, anew in zip(self.snapshot.item_ids, names, self.priced_anew(name), strict=True)
                if wanted == name and anew
            ]
            settings = PROFILES[name].apply(settings, own)
        return settings

    def _all(self, name: str) -> list[str]:
        return [name] * self.snapshot.n_items

    def priced(self, name: str) -> Priced:
        """Every item's candidates as a profile prices them."""
        if name not in self._priced:
            own = self.settings if name == PLAIN else self.settings_of(self._all(name))
            if self._base is not None and self._changed is not None:
                found = price_changed(self._base.priced(name), self.snapshot, own, self._changed)
            elif name == PLAIN:
                found = price(self.snapshot, own)
            else:
                plain = self.priced(PLAIN)
                found = price_changed(plain, self.snapshot, own, self.to_price(name), plain.digest)
            self._priced[name] = found
        return self._priced[name]

    def to_price(self, name: str) -> IntArray:
        """Rows of the items that are priced for a profile, once its base is known."""
        if self._base is not None and self._changed is not None:
            return self._changed
        if name == PLAIN:
            return np.arange(self.snapshot.n_items)
        touched = PROFILES[name].touched(self.snapshot)
        return touched[self.priced_anew(name)[touched]]

    def draft(self, name: str, *, scheduled: bool = False) -> Draft | OrderPlan:
        """The plan in which every item follows one profile, unwritten unless it is a schedule."""
        if (name, scheduled) not in self._drafts:
            made = self._drafted(self._all(name), lambda: self.priced(name), scheduled=scheduled)
            self._drafts[name, scheduled] = made
        return self._drafts[name, scheduled]

    def plan(self, name: str, *, scheduled: bool = False) -> OrderPlan:
        """The plan in which every item follows one profile."""
        return self._written(self.draft(name, scheduled=scheduled))

    def plan_of(self, profile_of: Mapping[str, str], *, scheduled: bool = False) -> OrderPlan:
        """The plan in which each item follows its own profile, by item id; the plain one where none is named."""
        names = self._names(profile_of)
        if len(set(names)) == 1:
            return self.plan(names[0], scheduled=scheduled)
        return self._written(self._drafted(names, lambda: self.priced_of(profile_of), scheduled=scheduled))

    def priced_of(self, profile_of: Mapping[str, str]) -> Priced:
        """Every item's candidates as its own profile prices them."""
        names = self._names(profile_of)
        used = sorted(set(names))
        if len(used) == 1:
            return self.priced(used[0])
        place = {name: index for index, name in enumerate(used)}
        return mixed([self.priced(name) for name in used], np.array([place[name] for name in names]))

    def _names(self, profile_of: Mapping[str, str]) -> list[str]:
        return [profile_of.get(item_id, PLAIN) for item_id in self.snapshot.item_ids]

    def _drafted(self, names: Sequence[str], priced: Callable[[], Priced], *, scheduled: bool) -> Draft | OrderPlan:
        return draft_orders(self.snapshot, self.settings_of(names), priced, scheduled=scheduled)

    def _written(self, answer: Draft | OrderPlan) -> OrderPlan:
        return answer if isinstance(answer, OrderPlan) else write_plan(answer, self.written)


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
    expect(catalogue.to_price(PLAIN).size)
    answers = {PLAIN: catalogue.draft(PLAIN)}
    expect(sum(catalogue.to_price(name).size for name in PROFILES if name != PLAIN))
    answers |= {name: catalogue.draft(name) for name in PROFILES if name != PLAIN}
    if any(isinstance(answer, OrderPlan) for answer in answers.values()):
        scheduled = {n: a for n, a in answers.items() if isinstance(a, OrderPlan)}
        answers = {n: scheduled.get(n) or catalogue.draft(n, scheduled=True) for n in answers}
    sound = {n for n, answer in answers.items() if isinstance(answer, OrderPlan) or not answer.left_out} or set(answers)
    proposals = Counter(line.item_id for line in excess_order_lines(catalogue.snapshot, catalogue.settings))
    for profile in (profile for profile in PROFILES.values() if profile.name in sound):
        answer = answers[profile.name]
        look_up()
        figures = figures_of(answer, catalogue.snapshot, catalogue.outcomes)
        for group, item_ids in groups.items():
            proposed = sum(proposals[item_id] for item_id in item_ids)
            made = _option(catalogue.snapshot, figures, profile, group, item_ids, exposure, proposed)
            found.append(replace(made, scheduled=isinstance(answer, OrderPlan)))
    return tuple(_distinct(found))


def _option(
    snapshot: PlanningSnapshot,
    figures: ItemFigures,
    profile: Profile,
    group: str,
    item_ids: Sequence[str],
    exposure: Mapping[str, float],
    proposals: int,
) -> PlanOption:
    members = set(item_ids)
    rows = np.flatnonzero([item_id in members for item_id in snapshot.item_ids])
    placed = [order for row in rows.tolist() for order in figures.placed[row]]
    shares = _largest_shares(placed)
    return PlanOption(
        option_id=f"{group}/{profile.name}",
        group=group,
        profile=profile.name,
        title=profile.title,
        item_ids=tuple(item_ids),
        order_value=sum(order.value for order in placed),
        cost=CostParts(*(float(part) for part in figures.parts[rows].sum(axis=0))),
        fill_rate=float(figures.fill_rate[rows].mean()) if rows.size else 1.0,
        stockout_probability=float(figures.stockout[rows].mean()) if rows.size else 0.0,
        risk_exposure=sum(exposure.get(item_id, 0.0) * shares.get(item_id, 1.0) for item_id in item_ids),
        suppliers=tuple(sorted({order.supplier_id for order in placed})),
        orders=tuple((order.offer_id, order.quantity) for order in placed),
        proposals=proposals,
    )


def _largest_shares(placed: Sequence[Placed]) -> dict[str, float]:
    """Largest supplier's share of each item's order; nothing is spread of an item that is not there."""
    by_item = dict[str, dict[str, float]]()
    for order in placed:
        units = by_item.setdefault(order.item_id, {})
        units[order.supplier_id] = units.get(order.supplier_id, 0.0) + order.quantity
    return {item_id: max(units.values()) / sum(units.values()) for item_id, units in by_item.items()}


def _distinct(options: Sequence[PlanOption]) -> list[PlanOption]:
    """By group, the first of every set of options that place the same orders."""
    seen = set[tuple[object, ...]]()
    kept = list[PlanOption]()
    for option in options:
        key = (option.group, option.orders)
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
