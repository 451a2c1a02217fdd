"""How ordering goes on after the first decision: one policy with recourse per item, out of several kinds."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from tools.domain.arrays import BoolArray, FloatArray, IntArray
from tools.ordering.problem.quantities import TINY

KINDS = (
    "base stock",
    "one source",
    "expedite early",
    "expedite late",
    "more safety stock",
    "less safety stock",
    "no lots",
    "lots for a price break",
    "capped dual index",
    "base surge",
    "second source",
)
"""Kinds of policy, in the order in which they are tried; the first is the one that formulas propose."""


@dataclass(frozen=True)
class Channel:
    """One way a continuation policy replenishes each item: arrays (N,) and levels (N, T)."""

    row: IntArray
    """Source row; 0 where the item has none."""
    active: BoolArray
    lead: IntArray
    level: FloatArray
    """Order when the position falls below this."""
    up_to: FloatArray
    within: FloatArray
    """(N, T) share of the open orders still to come after each period that lands within the channel's window."""


@dataclass(frozen=True)
class PolicyTables:
    """K policies as the compiled rollout reads them; see `playing.play_paths`."""

    whole: IntArray
    terms: FloatArray
    level: FloatArray
    up_to: FloatArray
    within: FloatArray
    rates: FloatArray
    """(K, 2, N, 3) price and freight of a unit, and fixed cost, of a later order of the usual size."""

    def taken(self, choice: IntArray) -> "PolicyTables":
        """The one chosen policy of each item."""
        items = np.arange(choice.size)

        def of(table: np.ndarray) -> np.ndarray:
            return np.ascontiguousarray(table[choice, :, items].swapaxes(0, 1)[None])

        whole, terms = of(self.whole), of(self.terms)
        return PolicyTables(whole, terms, of(self.level), of(self.up_to), of(self.within), of(self.rates))


@dataclass(frozen=True)
class Continuation:
    """The policies that may go on after the first decision, and the one chosen for each item."""

    tables: PolicyTables
    choice: IntArray
    """(N,) index into the tables."""
    kind: IntArray
    """(N,) index into KINDS of the chosen policy."""
    estimates: FloatArray
    """(N, K) expected cost with the best order found under each kind, in money; nan where it was not tried."""
    offered: BoolArray
    """(N, K) whether the kind differs from those before it for the item."""
    burn_level: FloatArray
    """(N,) up to which stock at the horizon is worth its price."""
    reach: IntArray
    """(N,) first period that an order placed now with the regular source can serve."""
    worth: FloatArray
    """(N, 3) purchase, freight and ordering cost of a usable unit: what a unit drawn from stock is valued at."""

    @cached_property
    def regular(self) -> Channel:
        """The regular channel of each item's policy."""
        return self._channel(0)

    @cached_property
    def express(self) -> Channel:
        """The express channel of each item's policy."""
        return self._channel(1)

    def _channel(self, channel: int) -> Channel:
        items, tables = np.arange(self.choice.size), self.tables
        row, lead = (tables.whole[self.choice, channel, items, column] for column in (0, 1))
        level, up_to, within = (t[self.choice, channel, items] for t in (tables.level, tables.up_to, tables.within))
        return Channel(np.maximum(row, 0), row >= 0, lead, level, up_to, within)

    def settled(self, kind: IntArray, estimates: FloatArray) -> "Continuation":
        """Only the chosen policy of each item."""
        return Continuation(
            self.tables.taken(kind),
            np.zeros_like(kind),
            kind,
            estimates,
            self.offered,
            self.burn_level,
            self.reach,
            self.worth,
        )

    def name_of(self, item: int) -> str:
        """The item's policy in the field's words."""
        if self.kind[item]:
            return KINDS[int(self.kind[item])]
        dual = "dual index " if self.express.active[item] else ""
        lots = self.regular.up_to[item, 0] > self.regular.level[item, 0] + TINY
        return dual + ("(s, S)" if lots else "base stock")

    def estimates_of(self, item: int) -> dict[str, float]:
        """Expected cost under each kind that was tried, cheapest first."""
        tried = {KINDS[k]: float(v) for k, v in enumerate(self.estimates[item].tolist()) if np.isfinite(v)}
        return dict(sorted(tried.items(), key=lambda entry: entry[1]))
