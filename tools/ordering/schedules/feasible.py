"""Schedules that keep every limit: items ordered in turn within what is left, then small groups ordered anew.

A schedule's gap is the sum of the items' regrets (what their orders cost under the prices beyond the best they could)
plus the price of every limit left unused. So groups are formed around the items of large regret.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from tools.domain.arrays import FloatArray, IntArray
from tools.ordering.schedules.column_generation.item_sweeps import costs_of_items, place_in_turn, total_use, withdraw
from tools.ordering.schedules.problem.programme_arrays import Limits, PacksArray, Terms

EASING = (0.6, 0.25, 0.0)
"""Shares of the prices under which items are ordered again, until only their own cost counts."""
KEPT_BACK = 1e-3
"""Share of its least cost by which an item must be dearer to be ordered again at once."""
GROUP = 40
"""Items that are ordered anew together."""


@dataclass
class Draft:
    """A schedule under work: orders (M, T), what is left of the limits, and the items' costs."""

    terms: Terms
    packs: PacksArray
    room: Limits
    cost: FloatArray
    stored: bool
    """Whether storage is limited in any period."""

    @property
    def total(self) -> float:
        """Expected cost of all items."""
        return float(self.cost.sum())

    def place(self, items: IntArray, prices: Limits) -> int:
        """Order the items again in turn; returns how many changed. Costs are stale until `recount`."""
        return int(place_in_turn(items, self.terms, prices, self.stored, self.room, self.packs))

    def recount(self, items: IntArray) -> None:
        """Bring the costs of items up to date."""
        self.cost[items] = costs_of_items(items, self.terms, self.packs, none_like(self.room))


def none_like(limits: Limits) -> Limits:
    """Zero for every limit."""
    return Limits(*(np.zeros_like(part) for part in limits))


def idle_draft(terms: Terms, limits: Limits) -> Draft:
    """The schedule without any order."""
    packs = np.zeros((terms.lead.size, terms.requirement.shape[1]), np.int32)
    use = none_like(limits)
    stored = bool(np.isfinite(limits.storage).any())
    total_use(terms, packs, use, stored)
    room = Limits(*(limit - used for limit, used in zip(limits, use, strict=True)))
    draft = Draft(terms, packs, room, np.zeros(terms.start.size - 1), stored)
    draft.recount(np.arange(draft.cost.size))
    return draft


def first_schedule(terms: Terms, limits: Limits, prices: Limits, least: FloatArray, go_on: Callable[[], bool]) -> Draft:
    """Items in turn under the prices, the costliest first; then those that others kept from their best, more freely.

    `least` (N,) is the items' cost at the prices when nothing is limited. The later passes, under ever lower prices,
    are left out when `go_on()` says so.
    """
    draft = idle_draft(terms, limits)
    items = np.argsort(-np.abs(least), kind="stable")
    draft.place(items, prices)
    regret = costs_of_items(items, terms, draft.packs, prices) - least[items]
    behind = np.flatnonzero(regret > KEPT_BACK * np.abs(least[items]))
    behind = items[behind[np.argsort(-regret[behind], kind="stable")]]
    for share in EASING:
        if go_on():
            draft.place(behind, prices.times(share))
    draft.recount(items)
    return draft


def improve(
    draft: Draft, prices: Limits, least: FloatArray, rng: np.random.Generator, go_on: Callable[[float], bool]
) -> None:
    """Order groups anew around items of large regret, while `go_on(total cost)`; never raises the cost.

    `least` (N,) is the items' cost at the prices when nothing is limited.
    """
    everyone = np.arange(draft.cost.size)
    regret = np.maximum(costs_of_items(everyone, draft.terms, draft.packs, prices) - least, 0.0)
    regret[np.diff(draft.terms.start) == 0] = 0.0
    total = draft.total
    if draft.cost.size < 2:
        return
    while go_on(total) and regret.sum() > 0:
        seeds = rng.choice(draft.cost.size, size=1, p=regret / regret.sum())
        group = _group_around(int(seeds[0]), draft, regret, rng)
        total += _order_anew(group, draft, prices, regret, rng)
        regret[group] = np.maximum(costs_of_items(group, draft.terms, draft.packs, prices) - least[group], 0.0)


def _group_around(seed: int, draft: Draft, regret: FloatArray, rng: np.random.Generator) -> IntArray:
    """The item, and items that order from one of its suppliers about when it might."""
    terms, horizon = draft.terms, draft.packs.shape[1]
    suppliers = terms.supplier[terms.start[seed] : terms.start[seed + 1]]
    supplier = int(rng.choice(suppliers))
    around = int(rng.integers(horizon))
    sources = np.flatnonzero(terms.supplier == supplier)
    span = slice(max(around - 2, 0), around + 3)
    sources = sources[draft.packs[sources, span].any(axis=1)]
    others = np.unique(np.searchsorted(terms.start, sources, side="right") - 1)
    others = others[others != seed]
    if others.size > GROUP - 1:
        others = rng.choice(others, GROUP - 1, replace=False)
    return np.concatenate([[seed], others]).astype(np.int64)


def _order_anew(group: IntArray, draft: Draft, prices: Limits, regret: FloatArray, rng: np.random.Generator) -> float:
    """Withdraw the group and order it in a new sequence; undone when dearer. Returns the change of the cost."""
    sources = np.concatenate([np.arange(int(draft.terms.start[i]), int(draft.terms.start[i + 1])) for i in group])
    old_packs, old_cost, old_room = draft.packs[sources].copy(), draft.cost[group].copy(), draft.room.copied()
    withdraw(group, draft.terms, draft.stored, draft.room, draft.packs)
    weight = (regret[group] + 0.02 * np.abs(old_cost)) * rng.uniform(0.2, 1.0, group.size)
    sequence = group[np.argsort(-weight, kind="stable")]
    draft.place(sequence, prices)
    draft.place(sequence, prices.times(float(rng.choice([0.0, 0.3, 0.6]))))
    draft.place(sequence, prices.times(0.0))
    draft.recount(group)
    change = float((draft.cost[group] - old_cost).sum())
    if change < -1e-9:
        return change
    draft.packs[sources], draft.cost[group], draft.room = old_packs, old_cost, old_room
    return 0.0
