"""What the doors see of lead times: suppliers as they have proved, offers, and when open orders arrive."""

from datetime import date

from graph.views.base import View


class SupplierLeadTimesView(View):
    """One supplier's record. None where nothing tells."""

    supplier_id: str
    supplier: str
    quoted_days: float | None = None
    """Mean of the quotes that its orders were placed under, newer ones counting more."""
    taken_days: float | None = None
    """What the same orders take, open ones as expected."""
    bias: float | None = None
    """By how much it takes longer than quoted: 0.31 is 31 %."""
    receipts: int = 0
    open_orders: int = 0
    overdue_orders: int = 0
    """Open orders past the day promised, or quoted where none is promised."""
    latest_order_id: str = ""
    """The open order that is oldest against its own lead time."""
    latest_age_days: int | None = None
    latest_older_than: float | None = None
    """Share of lead times that are no longer than its age."""
    regime_since: date | None = None
    regime_factor: float | None = None
    """New level over the old."""
    promise_trust: str = ""
    """trusted, rebaselined (dates were moved to the outcome), too few, or empty without any promise date"""
    promises: int = 0
    """Received orders with a promise date."""
    on_time_share: float | None = None
    mean_yield: float | None = None
    """Received over ordered, of finished orders."""
    left_out: int = 0
    """Receipts that are no lead times: negative, too long, mistyped."""
    sentences: tuple[str, ...] = ()


class OfferLeadTimesView(View):
    """An offer's lead time as the estimate version has it."""

    offer_id: str
    item_id: str
    item: str
    supplier_id: str
    supplier: str
    site_id: str
    transport_mode: str
    expedite: bool
    quoted_days: float | None
    """None where the offer states no usable time."""
    mean_days: float
    p10_days: int
    p50_days: int
    p90_days: int
    bias: float | None
    """Expected over quoted, less one."""
    source: str
    fallback: str | None
    observations: int
    supplier_observations: int
    open_orders: int
    mean_yield: float | None
    """None while no finished order tells anything."""
    arrived: tuple[float, ...]
    """Probability of having arrived by each of the view's days."""
    sentence: str


class OpenOrderView(View):
    """When an open order arrives, given that it has not yet. Dates are None where its supplier offers no such item."""

    order_id: str
    item_id: str
    item: str
    supplier_id: str
    supplier: str
    site_id: str
    quantity: float
    uom: str
    status: str
    order_date: date
    age_days: int
    due_date: date | None
    due_by: str
    """promised, quoted, or empty"""
    overdue_days: int = 0
    due_probability: float | None = None
    """Of arrival by that day; nothing once it is past."""
    older_than: float | None = None
    """Share of lead times that are no longer than its age."""
    expected_date: date | None = None
    """By the mean of the time that remains."""
    p10_date: date | None = None
    p50_date: date | None = None
    p90_date: date | None = None
    offer_id: str = ""
    source: str = ""
    fallback: str | None = None
    sentence: str = ""


class LeadTimesView(View):
    """All suppliers, or a supplier, item or order with its offers and open orders."""

    subject: str
    """Empty for all suppliers."""
    kind: str
    """all, supplier, item or order"""
    name: str
    as_of: date
    dataset_version: str
    estimate_version: str
    suppliers: tuple[SupplierLeadTimesView, ...]
    """The largest bias first."""
    offers: tuple[OfferLeadTimesView, ...] = ()
    """None for all suppliers; an item's by median, others by bias."""
    days: tuple[int, ...] = ()
    """Days after ordering that `arrived` of the offers is about."""
    orders: tuple[OpenOrderView, ...] = ()
    """Open orders, the oldest against their lead time first; of all suppliers only the first ones."""
    open_orders: int = 0
    """How many there are."""


def chance(probability: float) -> str:
    """A probability for people; never certainty where there is none."""
    if 0 < probability < 0.01:
        return "under 1 %"
    return "over 99 %" if 0.99 < probability < 1 else f"{probability:.0%}".replace("%", " %")
