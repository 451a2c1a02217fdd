"""What a line's price may become: from the next best source, or from the list price where there is none."""

from dataclasses import dataclass

TARGET_DISCOUNT = 0.08
"""Opening ask below the list price."""


@dataclass(frozen=True, slots=True)
class PriceLimits:
    """Unit prices: what we ask first, and beyond which we walk. target <= reservation."""

    target: float
    reservation: float


def price_limits(list_price: float, reservation_price: float | None) -> PriceLimits:
    """Limits for a line: never above the list price, nor above the price at which the next best would cost less."""
    reservation = list_price if reservation_price is None else max(0.0, min(list_price, reservation_price))
    return PriceLimits(min(reservation, list_price * (1 - TARGET_DISCOUNT)), reservation)
