"""Economic order quantities: plain, with backorders, and with a supplier that breaks down.

Equations are those of Snyder and Shen, Fundamentals of Supply Chain Theory (2nd edition, 2019).
"""

from dataclasses import dataclass
from math import exp, sqrt

from tools.ordering.textbook.inputs import require_nonnegative, require_positive


@dataclass(frozen=True, slots=True)
class Lot:
    """An order quantity in units and its cost per period, in money."""

    quantity: float
    cost: float


def economic_order_quantity(fixed_cost: float, holding_cost: float, demand: float) -> Lot:
    """EOQ of Harris (1913): sqrt(2 K λ / h), equations 3.4 and 3.5.

    Parameters
    ----------
    fixed_cost
        Money per order, K.
    holding_cost
        Money per unit and period, h.
    demand
        Units per period, λ.
    """
    require_positive(fixed_cost=fixed_cost, holding_cost=holding_cost, demand=demand)
    return Lot(sqrt(2 * fixed_cost * demand / holding_cost), sqrt(2 * fixed_cost * demand * holding_cost))


def economic_order_quantity_with_backorders(
    fixed_cost: float, holding_cost: float, shortage_cost: float, demand: float
) -> Lot:
    """EOQ where demand may wait: EOQ times sqrt((h + p) / p), equations 3.27 to 3.29.

    `shortage_cost`, p, is money per unit and period that a unit waits; the rest as in `economic_order_quantity`.
    """
    require_positive(shortage_cost=shortage_cost)
    plain = economic_order_quantity(fixed_cost, holding_cost, demand)
    ratio = sqrt(shortage_cost / (holding_cost + shortage_cost))
    return Lot(plain.quantity / ratio, plain.cost * ratio)


def economic_order_quantity_with_disruptions(
    fixed_cost: float,
    holding_cost: float,
    lost_sale_cost: float,
    demand: float,
    *,
    disruption_rate: float,
    recovery_rate: float,
) -> Lot:
    """EOQ whose supplier breaks down and recovers at exponential times; unmet demand is lost at a cost per unit.

    Parlar and Berkin (1991) as corrected by Berk and Arreola-Risa (1994): equation 9.5, minimised numerically.
    Rates are events per period; a disruption rate of 0 gives the plain EOQ.
    """
    require_positive(fixed_cost=fixed_cost, holding_cost=holding_cost, demand=demand, recovery_rate=recovery_rate)
    require_nonnegative(disruption_rate=disruption_rate, lost_sale_cost=lost_sale_cost)
    plain = economic_order_quantity(fixed_cost, holding_cost, demand)
    if disruption_rate == 0:
        return plain
    down = disruption_rate / (disruption_rate + recovery_rate)

    def cost(quantity: float) -> float:
        found_down = down * (1 - exp(-(disruption_rate + recovery_rate) * quantity / demand))
        without = found_down / recovery_rate
        spent = fixed_cost + holding_cost * quantity**2 / (2 * demand) + demand * lost_sale_cost * without
        return spent / (quantity / demand + without)

    from scipy.optimize import minimize_scalar

    most = 10 * plain.quantity + 10 * demand / recovery_rate
    bounds, exact = (plain.quantity / 10, most), {"xatol": 1e-9 * plain.quantity}
    found = minimize_scalar(cost, bounds=bounds, method="bounded", options=exact)
    return Lot(float(found.x), float(found.fun))
