"""What a place that stops delivering would do to an item, in a buyer's words."""

from dataclasses import dataclass

from tools.wording.figures import days, money


@dataclass(frozen=True, slots=True)
class RiskFacts:
    """One exposure on the supply network."""

    place: str
    """Supplier, plant or country, with name and id."""
    item: str
    """With name and id."""
    days_of_cover: float
    days_to_recover: float
    """Until the place, or another source, delivers again."""
    money_at_risk: float
    currency: str


def told_of_risk(facts: RiskFacts) -> str:
    """How long stock would last, how long nothing would come, and what that puts at risk."""
    gap = max(round(facts.days_to_recover) - round(facts.days_of_cover), 1)  # half a day is not "0 days"
    return (
        f"If {facts.place} stopped delivering, {facts.item} would last {days(facts.days_of_cover)} and be out for "
        f"{days(gap)} until supply is back: about {money(facts.money_at_risk, facts.currency)} at risk."
    )
