"""What the doors see of a line's story: cost curve, next best, limits, projected stock, textbook, better terms."""

from datetime import date

from graph.views.base import View


class CurvePointView(View):
    """What the item would cost with another quantity from the line's source; money over the horizon."""

    quantity: float
    total: float
    """What the plan minimises: all the parts and the worth of shared limits used."""
    purchase: float
    freight: float
    ordering: float
    holding: float
    shortage: float
    limits: float
    planned: bool = False


class TextbookView(View):
    """A quantity by the textbook beside the plan's own."""

    name: str
    textbook: float
    ours: float
    why: str


class TermView(View):
    """A better term of the offer and what it saves."""

    term: str
    """price, date, moq or maximum"""
    words: str
    value: float


class LineStoryView(View):
    """Everything computed about one line on demand."""

    run_id: str
    line_id: str
    item_id: str
    offer_id: str
    currency: str
    quantity: float
    curve: tuple[CurvePointView, ...]
    curve_in_words: str
    next_best: str
    next_best_extra: float
    limits: tuple[str, ...] = ()
    stockout_probability: float
    """Of a stock-out before an order of the next review could arrive."""
    stockout_probability_without: float
    """The same without this line, later orders making up for it as they would."""
    next_opportunity: date
    dates: tuple[date, ...]
    stock_p05: tuple[float, ...]
    stock_p25: tuple[float, ...]
    stock_p50: tuple[float, ...]
    stock_p75: tuple[float, ...]
    stock_p95: tuple[float, ...]
    textbook: tuple[TextbookView, ...] = ()
    unit_price: float
    reservation_price: float
    """Unit price at which the planned quantity costs as much as the next best."""
    reservation_in_words: str
    terms: tuple[TermView, ...] = ()
