"""Base-stock levels where the lead time varies."""

from math import sqrt

from tools.ordering.textbook.inputs import require_nonnegative, require_positive
from tools.ordering.textbook.newsvendor import Level, newsvendor_normal


def base_stock_normal(
    holding_cost: float, shortage_cost: float, *, demand_mean: float, demand_sd: float, lead_mean: float, lead_sd: float
) -> Level:
    """Order-up-to level under continuous review with a random lead time; Snyder and Shen, section 4.3.4.

    Demand over the lead time is taken as normal with mean `demand_mean * lead_mean` and variance
    `demand_sd**2 * lead_mean + demand_mean**2 * lead_sd**2` (Hadley and Whitin 1963). Demand is per period, lead
    times are in periods.
    """
    require_positive(demand_mean=demand_mean)
    require_nonnegative(demand_sd=demand_sd, lead_mean=lead_mean, lead_sd=lead_sd)
    sd = lead_time_demand_sd(demand_mean, demand_sd, lead_mean, lead_sd)
    return newsvendor_normal(holding_cost, shortage_cost, demand_mean * lead_mean, sd)


def lead_time_demand_sd(demand_mean: float, demand_sd: float, lead_mean: float, lead_sd: float) -> float:
    """Standard deviation of the demand over an independent random lead time, in units."""
    return sqrt(demand_sd**2 * lead_mean + demand_mean**2 * lead_sd**2)
