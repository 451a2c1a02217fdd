"""Limits that bind, in words with their worth in money."""

from datetime import timedelta

from tools.domain.snapshots import BindingLimit, PlanningSnapshot

ONE_MORE = {"units": "unit of", "volume": "unit of", "orders": "order in the"}
"""How one more of a limit's unit is told before its name."""


def limit_in_words(limit: BindingLimit, snapshot: PlanningSnapshot) -> str:
    """A binding limit and its shadow price: "One more unit of capacity of S01 is worth 41.00 USD"."""
    currency, price = snapshot.currency, limit.shadow_price
    more = f"{currency} of" if limit.unit == currency else ONE_MORE.get(limit.unit, f"{limit.unit} of")
    worth = f"{price:,.2f}" if price >= 0.1 else f"{price:.2g}"
    name = _dated(limit.name, snapshot)
    return f"One more {more} {name} is worth {worth} {currency} (the limit is {limit.limit:,.0f} {limit.unit})."


def _dated(name: str, snapshot: PlanningSnapshot) -> str:
    """The name, with the day on which a period begins where it names one."""
    head, found, number = name.rpartition(" in period ")
    if not found or not number.isdigit():
        return name
    begins = snapshot.as_of + timedelta(days=round(int(number) * snapshot.period.days) + 1)
    return f"{head} in the {snapshot.period.value} from {begins}"
