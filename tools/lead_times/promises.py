"""Whether a supplier's promise dates may be believed, or were moved to the outcome afterwards."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from tools.domain.orders import Receipt

FEWEST_ORDERS = 10
TOO_EXACT = 0.5
"""Share of orders received on the very day promised from which the promises are not believed ..."""
LEAST_RANGE_DAYS = 14.0
"""... if the middle 80 % of lead times spans as much: such an uneven supplier does not hit days by skill."""

Trust = Literal["trusted", "rebaselined", "too few"]


@dataclass(frozen=True, slots=True)
class PromiseTrust:
    """What a supplier's promise dates are worth as a record of lateness. Lead times never read them."""

    supplier_id: str
    trust: Trust
    orders: int
    exact_share: float
    """Of orders received on the day promised."""
    on_time_share: float
    """Of orders received on that day or before."""
    p10_days: float
    p90_days: float

    @property
    def sentence(self) -> str:
        """The verdict in one sentence."""
        if self.trust == "too few":
            return f"{self.supplier_id}: {self.orders} received orders carry a promise date, too few to judge them."
        if self.trust == "trusted":
            return f"{self.supplier_id}: {self.on_time_share:.0%} of {self.orders} orders came by the date promised."
        return (
            f"{self.supplier_id}: {self.exact_share:.0%} of {self.orders} orders came on the very day promised, though "
            f"lead times range from {self.p10_days:.0f} to {self.p90_days:.0f} days: the promise dates look moved to "
            "the outcome, so its lateness cannot be told from them."
        )


def promise_trust(receipts: Iterable[Receipt]) -> Mapping[str, PromiseTrust]:
    """By supplier id, for those with any promise date; the lines of an order that came on one day count once."""
    orders: dict[str, dict[tuple[str, int], tuple[int, int]]] = defaultdict(dict)
    for receipt in receipts:
        if receipt.promised_date is not None:
            late = (receipt.receipt_date - receipt.promised_date).days
            orders[receipt.supplier_id][receipt.order_id, late] = (late, receipt.lead_time_days)
    return {supplier_id: _judged(supplier_id, [*of.values()]) for supplier_id, of in sorted(orders.items())}


def _judged(supplier_id: str, orders: list[tuple[int, int]]) -> PromiseTrust:
    late, lead = np.array(orders, dtype=np.float64).T
    p10, p90 = (float(q) for q in np.quantile(lead, (0.1, 0.9)))
    exact, on_time = float(np.mean(late == 0)), float(np.mean(late <= 0))
    trust: Trust = "trusted"
    if len(orders) < FEWEST_ORDERS:
        trust = "too few"
    elif exact >= TOO_EXACT and p90 - p10 >= LEAST_RANGE_DAYS:
        trust = "rebaselined"
    return PromiseTrust(supplier_id, trust, len(orders), exact, on_time, p10, p90)
