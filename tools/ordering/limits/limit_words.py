"""Limits that bind, in words with their worth in money."""

from tools.domain.plans import BindingLimit
from tools.domain.snapshots import PlanningSnapshot

ONE_MORE = {"units": "unit of", "volume": "unit of", "orders": "order in the"}
"""How one more of a limit's unit is told before its name."""
IN_PERIOD = " in period "


def binding_limit(snapshot: PlanningSnapshot, name: str, limit: float, price: float, unit: str) -> BindingLimit:
    """A limit that binds; where its name ends in a period, with the day on which that begins."""
    number = name.rpartition(IN_PERIOD)[2]
    if IN_PERIOD not in name or not number.isdigit():
        return BindingLimit(name, limit, price, unit)
    when = f"in the {snapshot.period.value} from {snapshot.period_begins(int(number))}"
    return BindingLimit(name, limit, price, unit, when)


def limit_in_words(limit: BindingLimit, currency: str) -> str:
    """A binding limit and its shadow price: "One more unit of capacity of S01 is worth 41.00 USD"."""
    price = limit.shadow_price
    more = f"{currency} of" if limit.unit == currency else ONE_MORE.get(limit.unit, f"{limit.unit} of")
    worth = f"{price:,.2f}" if price >= 0.1 else f"{price:.2g}"
    name = f"{limit.name.rpartition(IN_PERIOD)[0]} {limit.when}" if limit.when else limit.name
    return f"One more {more} {name} is worth {worth} {currency} (the limit is {limit.limit:,.0f} {limit.unit})."
