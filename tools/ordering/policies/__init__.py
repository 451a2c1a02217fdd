"""Replenishment policies with recourse for one item with known distributions, to be asked again and again."""

from tools.ordering.policies.choice import choose_policy
from tools.ordering.policies.model import InventoryStates, ItemModel, OrderPolicy
from tools.ordering.policies.simulation import average_cost

__all__ = ["InventoryStates", "ItemModel", "OrderPolicy", "average_cost", "choose_policy"]
