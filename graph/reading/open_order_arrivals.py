"""When open orders arrive: what remains of their offer's lead time, given that nothing has come yet."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta

from graph.views.lead_times import OpenOrderView, chance
from tools.domain.datasets import Dataset
from tools.domain.orders import PurchaseOrder
from tools.lead_times import LeadTimeDistribution, awaited_offers
from tools.lead_times.preparation.terms import LONGEST_QUOTE_DAYS

UNKNOWN_LANE = "its supplier offers no such item, so nothing is known of its lead time"


class Arrivals:
    """Open orders of a dataset under the lead times of one estimate version."""

    def __init__(self, dataset: Dataset, leads: Mapping[str, LeadTimeDistribution]) -> None:
        self._dataset = dataset
        self._leads = leads
        orders = [order for order in dataset.open_orders if order.status.is_open]
        self._awaited = awaited_offers(dataset.offers, leads)
        self._quoted = {offer_id: offer.lead_time_days for offer_id, offer in dataset.offer_of.items()}
        self._by_supplier: dict[str, list[PurchaseOrder]] = {}
        for order in self.latest_first(orders):
            self._by_supplier.setdefault(order.supplier_id, []).append(order)

    def latest_first(self, orders: Sequence[PurchaseOrder]) -> list[PurchaseOrder]:
        """Orders by the share of lead times that their age has outlasted; those of no known lane last."""
        ages = [self.older_than(order) for order in orders]
        keyed = [
            (age is None, -(age or 0.0), order.order_date, order.order_id, order.item_id, order.site_id, order)
            for age, order in zip(ages, orders, strict=True)
        ]
        return [row[-1] for row in sorted(keyed, key=lambda row: row[:-1])]

    def of_supplier(self, supplier_id: str) -> list[PurchaseOrder]:
        """Its open orders, the latest first."""
        return self._by_supplier.get(supplier_id, [])

    def age_days(self, order: PurchaseOrder) -> int:
        """Whole days since it was ordered."""
        return max((self._dataset.as_of - order.order_date).days, 0)

    def older_than(self, order: PurchaseOrder) -> float | None:
        """Share of its offer's lead times that are no longer than its age."""
        lead = self._lead(order)
        return None if lead is None else round(lead.arrival_probability(self.age_days(order)), 4)

    def overdue_days(self, order: PurchaseOrder) -> int:
        """Days past the day on which it was due."""
        due = self._due(order)[0]
        return max((self._dataset.as_of - due).days, 0) if due else 0

    def _lead(self, order: PurchaseOrder) -> LeadTimeDistribution | None:
        offer_id = self._awaited.get((order.item_id, order.supplier_id))
        return None if offer_id is None else self._leads[offer_id]

    def _due(self, order: PurchaseOrder) -> tuple[date | None, str]:
        """The day promised, else the day that its offer's quote gives."""
        if order.promised_date is not None:
            return order.promised_date, "promised"
        quoted = self._quoted.get(self._awaited.get((order.item_id, order.supplier_id), ""), 0.0)
        if not 0 < quoted <= LONGEST_QUOTE_DAYS:
            return None, ""
        return order.order_date + timedelta(days=round(quoted)), "quoted"

    def view(self, order: PurchaseOrder) -> OpenOrderView:
        """The order with its remaining time."""
        item = self._dataset.items.get(order.item_id)
        supplier = self._dataset.suppliers.get(order.supplier_id)
        due, due_by = self._due(order)
        made = OpenOrderView(
            order_id=order.order_id,
            item_id=order.item_id,
            item=item.description if item else "",
            supplier_id=order.supplier_id,
            supplier=supplier.name if supplier and supplier.name else order.supplier_id,
            site_id=order.site_id,
            quantity=order.quantity,
            uom=item.uom if item else "",
            status=order.status.value,
            order_date=order.order_date,
            age_days=self.age_days(order),
            due_date=due,
            due_by=due_by,
            overdue_days=self.overdue_days(order),
            older_than=self.older_than(order),
            offer_id=self._awaited.get((order.item_id, order.supplier_id), ""),
        )
        lead = self._lead(order)
        made = made.model_copy(update=self._remaining(lead, made) if lead else {"fallback": UNKNOWN_LANE})
        return made.model_copy(update={"sentence": _sentence(made)})

    def _remaining(self, lead: LeadTimeDistribution, order: OpenOrderView) -> dict[str, object]:
        """Dates and probability of arrival, from the days that remain."""
        left, as_of = lead.remaining(order.age_days), self._dataset.as_of
        in_time = None
        if order.due_date is not None:
            in_time = round(left.arrival_probability((order.due_date - as_of).days), 4)
        return {
            "due_probability": in_time,
            "expected_date": as_of + timedelta(days=round(left.mean)),
            **{f"p{share}_date": as_of + timedelta(days=left.quantile(share / 100)) for share in (10, 50, 90)},
            "source": left.source,
            "fallback": left.fallback,
        }


def _sentence(order: OpenOrderView) -> str:
    """The order in words: what it is, when it is due, and when it comes."""
    what = (
        f"{order.order_id}: {order.quantity:,.0f} {order.uom} of {order.item_id} from {order.supplier}, ordered "
        f"{order.order_date} ({order.age_days} days ago)"
    )
    if order.expected_date is None:
        return f"{what}: {order.fallback}."
    comes = (
        f"It is expected on {order.expected_date}, and in 8 of 10 cases between {order.p10_date} and {order.p90_date}."
    )
    return f"{what}, {_due_words(order)} {comes}"


def _due_words(order: OpenOrderView) -> str:
    if order.due_date is None:
        return "with no promised day."
    said = "promised for" if order.due_by == "promised" else "by its quote due on"
    if order.overdue_days:
        days = "1 day" if order.overdue_days == 1 else f"{order.overdue_days} days"
        return f"{said} {order.due_date}, which was {days} ago."
    return f"{said} {order.due_date}: the chance that it comes by then is {chance(order.due_probability or 0.0)}."
