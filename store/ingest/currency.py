"""One currency per dataset: found, or converted to by the rates that the folder brings."""

from collections import Counter
from collections.abc import Mapping

from store.datasets import parse_breaks
from store.ingest.normalize import TypedTable

MONEY = {
    "items": ("unit_value", "stockout_cost_per_unit"),
    "offers": ("unit_price", "fixed_order_cost", "freight_per_unit"),
}
DEFAULT = "USD"


def settle_currency(tables: Mapping[str, TypedTable], wanted: str | None) -> str:
    """Choose the base currency and convert every price to it; rows without a rate are refused.

    The base is `wanted`, else the currency whose rate is 1, else the one that most rows name.
    """
    rates = _rates(tables.get("rates"))
    named = _named(tables)
    at_par = next((code for code, rate in rates.items() if rate == 1.0), None)
    base = wanted or at_par or (named.most_common(1)[0][0] if named else DEFAULT)
    for name in MONEY:
        if name in tables:
            _convert(tables[name], base, {**rates, base: 1.0})
    return base


def _rates(table: TypedTable | None) -> dict[str, float]:
    if table is None:
        return {}
    return {table.columns["currency"][p]: table.columns["rate_to_base"][p] for p in table.good()}


def _named(tables: Mapping[str, TypedTable]) -> Counter[str]:
    found: Counter[str] = Counter()
    for name in MONEY:
        if name in tables:
            found.update(code for code in tables[name].columns["currency"] if code)
    return found


def _convert(table: TypedTable, base: str, rates: Mapping[str, float]) -> None:
    currencies = table.columns["currency"]
    for position in table.good():
        code = currencies[position] or base
        if code not in rates:
            table.reject(
                position,
                "currency",
                f"the currency {code} has no rate to {base}",
                f"{base}, or a rate of {code} to {base}",
                f"Add rates.csv with currency,rate_to_base and a line for {code}, or give prices in {base}.",
            )
            continue
        if code != base:
            _convert_row(table, position, rates[code])
        currencies[position] = base


def _convert_row(table: TypedTable, position: int, rate: float) -> None:
    for name in MONEY[table.table]:
        value = table.columns[name][position]
        if value is not None:
            table.columns[name][position] = value * rate
    breaks = table.columns.get("price_breaks")
    if breaks is not None and breaks[position]:
        steps = parse_breaks(breaks[position])
        breaks[position] = ";".join(f"{step.quantity!r}:{step.unit_price * rate!r}" for step in steps)
