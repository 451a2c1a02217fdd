"""What a line's price may become: from the next best source, or from the list price where there is none."""

from dataclasses import dataclass

TARGET_DISCOUNT = 0.08
"""Opening ask below the list price."""


@dataclass(frozen=True, slots=True)
class PriceLimits:
    """Unit prices: what we ask first, and beyond which we walk. target <= reservation."""

    target: float
    reservation: float


def price_limits(list_price: float, next_best_unit_cost: float | None) -> PriceLimits:
    """Limits for a line: never above the list price, nor above what the next best source would cost."""
    reservation = list_price if next_best_unit_cost is None else max(0.0, min(list_price, next_best_unit_cost))
    return PriceLimits(min(reservation, list_price * (1 - TARGET_DISCOUNT)), reservation)
