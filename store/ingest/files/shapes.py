"""The canonical schema: what each column of each table may hold."""

from dataclasses import dataclass
from enum import Enum

from tools.domain.catalogue import Autonomy, Criticality, LimitKind, Relation, SupplierStatus
from tools.domain.orders import OpenOrderStatus

LARGEST = 1e12
"""No quantity, price or day count of a real buyer is larger; sums of such values stay exact."""

LARGEST_WHOLE = 2**31 - 1
"""Of a whole number, as the warehouse stores it."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column. `kind` is text, number, integer, date, flag or breaks; bounds hold for numbers."""

    name: str
    kind: str = "text"
    required: bool = False
    low: float | None = None
    above: float | None = None
    high: float | None = None
    choices: tuple[str, ...] = ()

    @property
    def largest(self) -> float:
        """The largest number that it holds, in either direction."""
        return LARGEST_WHOLE if self.kind == "integer" else LARGEST

    @property
    def expected(self) -> str:
        """What a cell must look like, in words."""
        if self.choices:
            return f"one of {', '.join(self.choices)}"
        bounds = [f"{text} {bound:g}" for text, bound in self._bounds() if bound is not None]
        return " ".join((WORDS[self.kind], *bounds))

    def _bounds(self) -> tuple[tuple[str, float | None], ...]:
        return ("of at least", self.low), ("above", self.above), ("up to", self.high)


WORDS = {
    "text": "a text",
    "number": "a number such as 1234.5, without separators or units,",
    "integer": "a whole number",
    "date": "a date such as 2013-12-31",
    "flag": "true or false",
    "breaks": "QUANTITY:PRICE pairs such as 100:9.5;500:9.0",
}


@dataclass(frozen=True, slots=True)
class Shape:
    """One table: its columns in stored order, and those that name a row."""

    columns: tuple[Column, ...]
    key: tuple[str, ...]
    required: bool = False
    """Whether a dataset needs the table."""

    @property
    def names(self) -> tuple[str, ...]:
        """Column names in stored order."""
        return tuple(column.name for column in self.columns)

    def column(self, name: str) -> Column:
        """One column by name."""
        return next(column for column in self.columns if column.name == name)


def _values(kind: type[Enum]) -> tuple[str, ...]:
    return tuple(str(member.value) for member in kind)


def _text(name: str, *, required: bool = False) -> Column:
    return Column(name, required=required)


def _number(name: str, *, required: bool = False, low: float | None = 0.0, high: float | None = None) -> Column:
    return Column(name, "number", required=required, low=low, high=high)


def _date(name: str, *, required: bool = False) -> Column:
    return Column(name, "date", required=required)


def _positive(name: str, *, required: bool = False) -> Column:
    return Column(name, "number", required=required, above=0.0)


def _order_columns() -> tuple[Column, ...]:
    return (
        _text("order_id", required=True),
        _text("item_id", required=True),
        _text("supplier_id", required=True),
        _text("site_id"),
        _positive("quantity", required=True),
        _date("order_date", required=True),
        _date("promised_date"),
    )


SHAPES: dict[str, Shape] = {
    "items": Shape(
        (
            _text("item_id", required=True),
            _text("description"),
            _text("family"),
            _text("uom"),
            _number("unit_value"),
            _text("currency"),
            _number("holding_rate_per_year"),
            _number("stockout_cost_per_unit"),
            _number("service_level_target", high=0.99999),
            Column("criticality", choices=_values(Criticality)),
            _number("storage_volume"),
            Column("shelf_life_days", "integer", above=0),
            Column("autonomy", choices=_values(Autonomy)),
            _number("fill_rate_target", high=0.99999),
            _number("lost_sales_share", high=1.0),
            Column("frozen_days", "integer", low=0),
        ),
        ("item_id",),
        required=True,
    ),
    "suppliers": Shape(
        (
            _text("supplier_id", required=True),
            _text("name"),
            _text("country"),
            _text("parent_id"),
            Column("status", choices=_values(SupplierStatus)),
            _number("risk_score", high=1.0),
            _number("min_order_value"),
        ),
        ("supplier_id",),
        required=True,
    ),
    "sites": Shape((_text("site_id", required=True), _text("name"), _number("storage_capacity")), ("site_id",)),
    "offers": Shape(
        (
            _text("item_id", required=True),
            _text("supplier_id", required=True),
            _text("site_id"),
            _positive("unit_price", required=True),
            _text("currency"),
            Column("price_breaks", "breaks"),
            _number("moq", required=True),
            _positive("order_multiple"),
            _positive("max_quantity"),
            _number("lead_time_days", required=True),
            _number("capacity_per_week"),
            _number("fixed_order_cost"),
            _number("freight_per_unit"),
            _text("transport_mode"),
            Column("expedite", "flag"),
            _date("valid_from"),
            _date("valid_to"),
            Column("preference", "integer"),
            Column("incremental_breaks", "flag"),
        ),
        ("item_id", "supplier_id", "transport_mode", "site_id"),
        required=True,
    ),
    "demand": Shape(
        (
            _text("item_id", required=True),
            _text("site_id"),
            _date("date", required=True),
            _number("quantity", required=True),
            Column("kind", choices=("demand", "order", "sales")),
        ),
        ("item_id", "site_id", "date", "kind"),
    ),
    "calendar": Shape(
        (_date("date", required=True), _text("item_id"), Column("promotion", "flag"), Column("closed", "flag")),
        ("date", "item_id"),
    ),
    "forecasts": Shape(
        (
            _text("item_id", required=True),
            _date("date", required=True),
            _number("quantity", required=True),
            _number("quantile", high=1.0),
        ),
        ("item_id", "date", "quantile"),
    ),
    "stock": Shape(
        (
            _text("item_id", required=True),
            _text("site_id"),
            _number("on_hand", required=True),
            _date("as_of"),
        ),
        ("item_id", "site_id", "as_of"),
    ),
    "purchase_orders": Shape(
        (*_order_columns(), Column("status", choices=_values(OpenOrderStatus))),
        ("order_id", "item_id", "site_id"),
    ),
    "receipts": Shape(
        (*_order_columns(), _date("receipt_date", required=True)),
        ("order_id", "item_id", "site_id", "receipt_date"),
    ),
    "links": Shape(
        (
            _text("from_id", required=True),
            _text("to_id", required=True),
            Column("relation", required=True, choices=_values(Relation)),
            _positive("quantity"),
        ),
        ("from_id", "to_id", "relation"),
    ),
    "limits": Shape(
        (
            Column("kind", required=True, choices=_values(LimitKind)),
            _text("supplier_id"),
            _date("from_date"),
            _date("to_date"),
            _number("amount", required=True),
        ),
        ("kind", "supplier_id", "from_date"),
    ),
    "rates": Shape((_text("currency", required=True), _positive("rate_to_base", required=True)), ("currency",)),
}
"""Canonical file to its shape. `rates` converts currencies on import and is not stored."""
