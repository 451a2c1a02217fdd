"""How a hit on one node reaches those that depend on it.

Several sites, countries, ports or makers of a node stand in for one another: losing one costs its share of the
capacity, and the node is late only when all of them are. Components and owners do not: the worst of them decides.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from tools.domain.catalogue import Relation
from tools.network.graph import Dependencies

ALTERNATIVES = (Relation.SUPPLIES, Relation.MADE_AT, Relation.LOCATED_IN, Relation.SHIPS_THROUGH)
REQUIRED = (Relation.MADE_FROM, Relation.OWNED_BY)


@dataclass(frozen=True, slots=True)
class Effect:
    """What a hit does to one node: days added, share of capacity left, and the path it came along."""

    delay_days: int = 0
    capacity_fraction: float = 1.0
    path: tuple[str, ...] = ()

    @property
    def hurts(self) -> bool:
        """Whether anything is late or scarce."""
        return self.delay_days > 0 or self.capacity_fraction < 1.0

    def at(self, node_id: str) -> "Effect":
        """The same effect one step further along."""
        return Effect(self.delay_days, self.capacity_fraction, (*self.path, node_id)) if self.path else self


UNTOUCHED = Effect()


def _worst_path(effects: Iterable[Effect]) -> tuple[str, ...]:
    touched = [effect for effect in effects if effect.path]
    worst = min(touched, key=lambda e: (e.capacity_fraction, -e.delay_days, len(e.path), e.path), default=UNTOUCHED)
    return worst.path


def shared(effects: Iterable[Effect]) -> Effect:
    """Equal alternatives: mean capacity, and late only when all are."""
    known = tuple(effects)
    if not any(effect.path for effect in known):
        return UNTOUCHED
    capacity = sum(effect.capacity_fraction for effect in known) / len(known)
    return Effect(min(effect.delay_days for effect in known), capacity, _worst_path(known))


def needed(effects: Iterable[Effect]) -> Effect:
    """All are needed: least capacity, longest delay."""
    known = tuple(effects)
    if not any(effect.path for effect in known):
        return UNTOUCHED
    capacity = min(effect.capacity_fraction for effect in known)
    return Effect(max(effect.delay_days for effect in known), capacity, _worst_path(known))


class Wave:
    """One hit running along the network; the effect on each node is computed once."""

    def __init__(self, dependencies: Dependencies, node_id: str, hit: Effect) -> None:
        self._dependencies = dependencies
        self._origin = node_id
        self._reached = dependencies.reached_from(node_id)
        self._known: dict[str, Effect] = {node_id: Effect(hit.delay_days, hit.capacity_fraction, (node_id,))}
        self._offers: dict[tuple[str, str], Effect] = {}
        self._sellers: dict[tuple[str, tuple[str, ...]], Effect] = {}

    def reaches(self, node_id: str) -> bool:
        """Whether the node depends on the hit one at all."""
        return node_id in self._reached

    def on(self, node_id: str) -> Effect:
        """Effect on any node; a circle of owners or suppliers adds nothing."""
        if node_id not in self._reached:
            return UNTOUCHED
        if node_id not in self._known:
            self._known[node_id] = UNTOUCHED
            parts = [self._group(node_id, relation) for relation in (*ALTERNATIVES, *REQUIRED)]
            self._known[node_id] = needed(parts).at(node_id)
        return self._known[node_id]

    def on_offer(self, supplier_id: str, item_id: str) -> Effect:
        """Effect on one supplier's deliveries of one item: only its plants that make the item count.

        A maker that no link ties to a supplier counts for the suppliers whose plants are not known.
        """
        pair = (supplier_id, item_id)
        if pair not in self._offers:
            self._offers[pair] = self._deliveries(*pair)
        return self._offers[pair]

    def _deliveries(self, supplier_id: str, item_id: str) -> Effect:
        if item_id == self._origin:
            return self._known[item_id]
        makers = self._dependencies.of(item_id, Relation.MADE_AT)
        plants = self._dependencies.of(supplier_id, Relation.SUPPLIES)
        anyones = tuple(plant for plant in makers if self._dependencies.supplies_nobody(plant))
        sources = tuple(plant for plant in plants if plant in makers) or plants or anyones
        selling = self._known[supplier_id] if supplier_id == self._origin else self._selling(supplier_id, sources)
        return needed([selling, self._group(item_id, Relation.MADE_FROM)]).at(item_id)

    def _selling(self, supplier_id: str, plants: tuple[str, ...]) -> Effect:
        """Effect on what a supplier sells out of these plants, whatever the item."""
        key = (supplier_id, plants)
        if key not in self._sellers:
            own = [self._group(supplier_id, relation) for relation in (*ALTERNATIVES[1:], *REQUIRED)]
            self._sellers[key] = needed([*own, shared(self.on(plant) for plant in plants)]).at(supplier_id)
        return self._sellers[key]

    def _group(self, node_id: str, relation: Relation) -> Effect:
        sources = self._dependencies.of(node_id, relation)
        effects = [self.on(source) for source in sources]
        return needed(effects) if relation in REQUIRED else shared(effects)
