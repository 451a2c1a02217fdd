"""What must change before a line that a person rejected or edited is proposed otherwise again."""

from collections.abc import Sequence
from dataclasses import dataclass

from tools.domain.decisions import LineDecision


@dataclass(frozen=True, slots=True)
class Materiality:
    """Relative change of quantity and of list price, and rise of the stock-out risk in basis points."""

    quantity: float = 0.20
    price: float = 0.05
    risk_bp: int = 500


@dataclass(frozen=True, slots=True)
class Proposal:
    """The same line as a plan computes it now."""

    units: float
    list_price: float
    stockout_bp: int
    bought_units: float = 0.0
    """Bought of the line since the decision; asking for less beyond that is then no change."""
    new_alerts: Sequence[str] = ()
    """Alerts about the line that the decision did not know, in words."""


def material_changes(before: LineDecision, now: Proposal, limits: Materiality) -> list[str]:
    """What changed materially since a decision, in words; empty when it still holds. Fewer stock-outs are no reason."""
    found: list[str] = []
    units, price = _change(before.proposed_units, now.units), _change(before.list_price, now.list_price)
    if abs(units) >= limits.quantity and (units > 0 or not now.bought_units):
        found.append(f"the quantity is {now.units:,.0f} instead of {before.proposed_units:,.0f} ({units:+.0%})")
    if abs(price) >= limits.price:
        found.append(f"the price is {now.list_price:,.2f} instead of {before.list_price:,.2f} ({price:+.0%})")
    if now.stockout_bp - before.stockout_bp >= limits.risk_bp:
        found.append(
            f"the risk of a stock-out is {now.stockout_bp / 100:.0f} %, it was {before.stockout_bp / 100:.0f} %"
        )
    found += [f"there is a new alert: {alert}" for alert in now.new_alerts]
    return found


def _change(before: float, now: float) -> float:
    return (now - before) / before if before else float(now != before)
