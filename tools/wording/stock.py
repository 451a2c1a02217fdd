"""Where an item stands, in a buyer's words."""

from dataclasses import dataclass

from tools.wording.figures import days, share
from tools.wording.lines import LONGEST_COVER


@dataclass(frozen=True, slots=True)
class StockFacts:
    """What an outlook says of an item."""

    days_of_cover: float
    stockout_probability: float
    """Of running out before an order of the next review could help."""


def told_of_stock(facts: StockFacts) -> str:
    """One sentence."""
    chance = share(facts.stockout_probability)
    if facts.days_of_cover >= LONGEST_COVER:
        return f"There is stock for years; the chance of running out before a later order could help is {chance}."
    return (
        f"Stock and orders on their way cover {days(facts.days_of_cover)}; the chance of running out before a later"
        f" order could help is {chance}."
    )
