"""A simulated supplier with a hidden least price; used by the sandbox and by evaluations."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

FLOOR_RANGE = (0.90, 1.0)
"""Least price over list price of a seeded supplier."""
PATIENCE_RANGE = (3, 6)
"""Rounds over which a seeded supplier gives way to its floor."""


@dataclass(frozen=True)
class SimulatedSupplier:
    """Concedes linearly from its list price to a hidden floor over `rounds`; walks from insulting asks."""

    list_prices: Mapping[str, float]
    """Line id to list price."""
    floor_fraction: float
    """Least price over list price that it takes."""
    rounds: int = 5
    insult_fraction: float = 0.5

    def reply(self, line_id: str, offered_price: float, round_number: int) -> float | None:
        """Its price this round; the offer itself when it accepts; None when it walks or does not sell the line."""
        listed = self.list_prices.get(line_id)
        if listed is None or offered_price < listed * self.insult_fraction:
            return None
        conceded = listed - (listed - listed * self.floor_fraction) * min(1.0, round_number / self.rounds)
        return offered_price if offered_price >= conceded else conceded


def seeded_supplier(supplier_id: str, list_prices: Mapping[str, float], seed: int) -> SimulatedSupplier:
    """The same supplier for the same seed and id: its floor and its patience are drawn once."""
    rng = np.random.default_rng([seed, *supplier_id.encode()])
    floor = float(rng.uniform(*FLOOR_RANGE))
    return SimulatedSupplier(list_prices, floor, int(rng.integers(*PATIENCE_RANGE, endpoint=True)))
