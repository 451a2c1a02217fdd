"""What alerts do to suppliers, open orders and items once they have run along the network."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Disruption:
    """Effects in the units that planning uses; empty mappings mean no effect."""

    delay_days_by_supplier: Mapping[str, int] = field(default_factory=dict[str, int])
    """Days added to every new order."""
    delay_days_by_order: Mapping[str, int] = field(default_factory=dict[str, int])
    """Days added to what is still to arrive on an open order."""
    capacity_fraction_by_supplier: Mapping[str, float] = field(default_factory=dict[str, float])
    """Share of capacity that remains; 0 means no new order."""
    affected_item_ids: tuple[str, ...] = ()
    routes: Mapping[str, str] = field(default_factory=dict[str, str])
    """Item id to the path along which it is hit, in words."""
    delay_days_by_offer: Mapping[str, int] = field(default_factory=dict[str, int])
    """Days added to new orders of one offer: what a hit on a plant or an item does, where a supplier is hit in part."""
    capacity_fraction_by_offer: Mapping[str, float] = field(default_factory=dict[str, float])
    """Share of capacity that remains for one offer; 0 means no new order of it."""


@dataclass(frozen=True, slots=True)
class ItemExposure:
    """How long an item lives without one node of its network, and what that would cost."""

    item_id: str
    node_id: str
    days_of_cover: float
    days_to_recover: float
    money_at_risk: float
    """Value of the demand unserved between running out and recovery."""
    route: str
