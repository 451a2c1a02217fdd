"""Replenishment policies with recourse for one item with known distributions. Benchmarks alone call them yet."""

from tools.ordering.replenishment.choice import choose_policy
from tools.ordering.replenishment.model import InventoryStates, ItemModel, OrderPolicy
from tools.ordering.replenishment.simulation import average_cost

__all__ = ["InventoryStates", "ItemModel", "OrderPolicy", "average_cost", "choose_policy"]
