"""Where an item stands, in a buyer's words."""

from dataclasses import dataclass

from tools.wording.figures import days, share
from tools.wording.lines import LONGEST_COVER, Told


@dataclass(frozen=True, slots=True)
class StockFacts:
    """What an outlook says of an item."""

    days_of_cover: float
    fill_rate: float
    """Expected share of demand served from stock under the plan."""
    stockout_probability: float
    """Of running out before an order of the next review could help."""


def told_of_stock(facts: StockFacts) -> Told:
    """How long stock lasts and what the plan serves, and the risk until more can be ordered."""
    cover = (
        "There is stock for years"
        if facts.days_of_cover >= LONGEST_COVER
        else f"Stock and orders on their way cover {days(facts.days_of_cover)}"
    )
    return Told(
        f"{cover}; with this plan {share(facts.fill_rate)} of what is asked for is met from stock.",
        (f"The chance of running out before a later order could help is {share(facts.stockout_probability)}.",),
    )
