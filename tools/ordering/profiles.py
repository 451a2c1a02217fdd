"""Ways to weigh cost, cash, service and risk, each a change of the settings for a group's items."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np

from tools.domain.arrays import IntArray
from tools.domain.snapshots import OrderingSettings, PlanningSnapshot


@dataclass(frozen=True, slots=True)
class Profile:
    """A named stance; it acts on the settings of the items it is chosen for."""

    name: str
    title: str
    shortage_weight: float = 1.0
    max_share: float = 1.0
    allow_expedite: bool = True

    def apply(self, settings: OrderingSettings, item_ids: Iterable[str]) -> OrderingSettings:
        """The settings with this stance for these items and nothing changed for others."""
        ids = list(item_ids)
        weight, share, express = settings.item_shortage_weight, settings.item_max_share, settings.item_allow_expedite
        return replace(
            settings,
            item_shortage_weight={**weight, **{i: weight.get(i, 1.0) * self.shortage_weight for i in ids}},
            item_max_share={**share, **{i: min(share.get(i, settings.max_share), self.max_share) for i in ids}},
            item_allow_expedite={
                **express,
                **{i: express.get(i, settings.allow_expedite) and self.allow_expedite for i in ids},
            },
        )

    def touched(self, snapshot: PlanningSnapshot) -> IntArray:
        """Rows of the items that it may price otherwise than the settings alone do."""
        if self.shortage_weight != 1.0:
            return np.arange(snapshot.n_items)
        sources, found = snapshot.sources, np.zeros(snapshot.n_items, dtype=np.bool_)
        if not self.allow_expedite:
            found[sources.item[sources.expedite]] = True
        if self.max_share < 1.0:
            found |= np.bincount(sources.item, minlength=snapshot.n_items) > 1
        return np.flatnonzero(found)


PROFILES: dict[str, Profile] = {
    p.name: p
    for p in (
        Profile("balanced", "Least expected cost"),
        Profile("service_first", "Fewer stock-outs: a shortage weighs three times as much", shortage_weight=3.0),
        Profile("cash_lean", "Less stock: a shortage weighs half as much", shortage_weight=0.5),
        Profile("diversified", "No supplier above 60 % of an item's order", max_share=0.6),
        Profile("no_expedite", "Regular sources only", allow_expedite=False),
    )
}
"""The stances offered, in the order in which they are shown."""
