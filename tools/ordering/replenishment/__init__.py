"""Replenishment policies with recourse for one item with known distributions, to be asked again and again."""

from tools.ordering.replenishment.choice import choose_policy
from tools.ordering.replenishment.model import InventoryStates, ItemModel, OrderPolicy
from tools.ordering.replenishment.simulation import average_cost

__all__ = ["InventoryStates", "ItemModel", "OrderPolicy", "average_cost", "choose_policy"]
