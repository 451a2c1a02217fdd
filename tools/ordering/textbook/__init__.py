"""Textbook quantities of inventory theory, for explanations and baselines.

Costs are money per unit and period, demand is units per period; a value that a formula cannot use raises `BadInput`.
"""

from tools.ordering.textbook.base_stock import base_stock_normal, lead_time_demand_sd
from tools.ordering.textbook.economic_order_quantity import (
    Lot,
    economic_order_quantity,
    economic_order_quantity_with_backorders,
    economic_order_quantity_with_disruptions,
)
from tools.ordering.textbook.guaranteed_service import GuaranteedService, Stage, guaranteed_service
from tools.ordering.textbook.newsvendor import (
    Level,
    critical_ratio,
    newsvendor_discrete,
    newsvendor_normal,
    newsvendor_poisson,
    newsvendor_with_disruptions,
    one_period_cost,
    poisson_table,
)
from tools.ordering.textbook.reorder_policies import ReorderPolicy, reorder_lot_poisson, reorder_up_to_poisson

__all__ = [
    "GuaranteedService",
    "Level",
    "Lot",
    "ReorderPolicy",
    "Stage",
    "base_stock_normal",
    "critical_ratio",
    "economic_order_quantity",
    "economic_order_quantity_with_backorders",
    "economic_order_quantity_with_disruptions",
    "guaranteed_service",
    "lead_time_demand_sd",
    "newsvendor_discrete",
    "newsvendor_normal",
    "newsvendor_poisson",
    "newsvendor_with_disruptions",
    "one_period_cost",
    "poisson_table",
    "reorder_lot_poisson",
    "reorder_up_to_poisson",
]
