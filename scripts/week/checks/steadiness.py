"""How steady the plans of one day after another are: what is bought of a need on several days."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field

from scripts.week.checks.order_checks import ItemSite, asked_at_once
from scripts.week.company.books import Books, Row


@dataclass
class _Bought:
    """Of one need, since the ERP began."""

    units: float = 0.0
    days: set[str] = field(default_factory=set[str])
    run_ids: set[str] = field(default_factory=set[str])


def bought_needs(books: Books) -> Mapping[ItemSite, _Bought]:
    """What was bought of each need and stands."""
    run_of = {row["action_key"]: row["run_id"] for row in books.outbox}
    found = defaultdict[ItemSite, _Bought](_Bought)
    for order in books.ours:
        for line in _standing(books, order):
            need = found[line["item_id"], order["site_id"]]
            need.units += line["quantity"]
            need.days.add(order["ordered_on"])
            need.run_ids.add(run_of.get(order["idempotency_key"], ""))
    return found


def _standing(books: Books, order: Row) -> list[Row]:
    return [line for line in books.erp_lines.get(order["erp_ref"], ()) if line["status"] != "cancelled"]


def bought_on(books: Books) -> Mapping[ItemSite, float]:
    """Units of each need that plans of later days bought beyond what one plan asked for and what was used up since.

    No failure, for a later plan knows more; but with nothing new to know it should buy nothing.
    """
    found = dict[ItemSite, float]()
    for need, bought in bought_needs(books).items():
        since = min(bought.days)
        used = sum(
            row["quantity"] for row in books.demand if (row["item_id"], row["site_id"]) == need and row["day"] > since
        )
        beyond = bought.units - used - asked_at_once(books, need, bought.run_ids)
        if len(bought.days) > 1 and beyond > 0:
            found[need] = beyond
    return found
