"""Lead times and open orders as facts for an answer, when a question is about them."""

import re
from collections.abc import Callable, Iterable, Sequence

from agents.contracts import Fact, Question
from agents.questions import topics_of
from graph.views.lead_times import LeadTimesView, OpenOrderView, SupplierLeadTimesView, chance

NAMED = 3
"""Subjects of a question that are looked up."""
ORDERS_TOLD = 30
"""Open orders of a named subject that an answer may draw on."""


def lead_time_facts(
    question: Question,
    items: Iterable[str],
    open_orders: Iterable[str],
    lead_times: Callable[[str | None, str | None], LeadTimesView],
) -> tuple[Fact, ...]:
    """Facts of all suppliers and of the open orders that the question may mean; none where it is about neither."""
    words = [word.casefold() for word in re.findall(r"[\w\-]+", question.subject)]
    named = _named_ids(words, open_orders)
    if not named and not topics_of(question) & {"lead_time", "arrival"}:
        return ()
    whole = lead_times(None, None)
    named += [*_named_ids(words, items), *(row.supplier_id for row in whole.suppliers if _is_named(row, words))]
    orders = {(order.order_id, order.item_id, order.site_id): order for order in whole.orders}
    for subject in named[:NAMED]:
        for order in lead_times(subject, None).orders[:ORDERS_TOLD]:
            orders[order.order_id, order.item_id, order.site_id] = order
    arriving = sorted(orders.values(), key=lambda order: (str(order.expected_date or "9999"), order.order_id))
    return (*map(_supplier_fact, whole.suppliers), *map(_order_fact, arriving))


def _named_ids(words: Sequence[str], ids: Iterable[str]) -> list[str]:
    wanted = set(words)
    return list(dict.fromkeys(known for known in ids if known.casefold() in wanted))


def _is_named(row: SupplierLeadTimesView, words: Sequence[str]) -> bool:
    """By its id, or by the first word of its name."""
    first = row.supplier.casefold().split()[0]
    return row.supplier_id.casefold() in words or (len(first) > 3 and first in words)


def _supplier_fact(row: SupplierLeadTimesView) -> Fact:
    figures = {"receipts": float(row.receipts), "open_orders": float(row.open_orders)}
    if row.bias is not None:
        figures["bias"] = row.bias
    return Fact(
        fact_id=f"lead_time:{row.supplier_id}",
        kind="lead_time",
        subjects=(row.supplier_id, row.supplier),
        text=" ".join(row.sentences),
        figures=figures,
    )


def _order_fact(order: OpenOrderView) -> Fact:
    figures = {"age_days": float(order.age_days), "overdue_days": float(order.overdue_days)}
    detail = []
    if order.older_than is not None:
        figures["older_than"] = order.older_than
        detail.append(f"{chance(order.older_than)} of its lead times are no longer than its {order.age_days} days.")
    if order.fallback and order.expected_date is not None:
        detail.append(f"Its lead time rests on a fallback: {order.fallback}.")
    return Fact(
        fact_id=f"arrival:{order.order_id}:{order.item_id}",
        kind="arrival",
        subjects=(order.order_id, order.item_id, order.supplier_id, order.supplier),
        text=order.sentence,
        detail=" ".join(detail),
        figures=figures,
    )
