"""One currency per dataset: found, or converted to by the rates that the folder brings."""

from collections import Counter
from collections.abc import Mapping

from store.datasets.staged import literal
from store.ingest.checked_tables import CheckedTables, Words

MONEY = {
    "items": ("unit_value", "stockout_cost_per_unit"),
    "offers": ("unit_price", "fixed_order_cost", "freight_per_unit"),
}
DEFAULT = "USD"


def settle_currency(checked: CheckedTables, wanted: str | None) -> str:
    """Choose the base currency and convert every price to it; rows without a rate are refused.

    The base is `wanted`, else the currency whose rate is 1, else the one that most rows name.
    """
    rates = _rates(checked)
    named = _named(checked)
    at_par = next((code for code, rate in rates.items() if rate == 1.0), None)
    base = wanted or at_par or (named.most_common(1)[0][0] if named else DEFAULT)
    checked.next_rule()
    for name in MONEY:
        if name in checked.tables:
            _convert(checked, name, base, {**rates, base: 1.0})
    return base


def _rates(checked: CheckedTables) -> dict[str, float]:
    if "rates" not in checked.tables:
        return {}
    return dict(checked.ask(f"SELECT currency, rate_to_base FROM {checked.good('rates')} ORDER BY nth"))  # noqa: S608


def _named(checked: CheckedTables) -> Counter[str]:
    """Rows that name each currency, those named first before the others."""
    found: Counter[str] = Counter()
    for name in MONEY:
        if name in checked.tables:
            query = f"SELECT currency, count(*) FROM {checked.every(name)} WHERE currency IS NOT NULL "  # noqa: S608
            found.update(dict(checked.ask(f"{query} GROUP BY currency ORDER BY min(nth)")))
    return found


def _convert(checked: CheckedTables, name: str, base: str, rates: Mapping[str, float]) -> None:
    known = ", ".join(map(literal, rates))
    words = Words(
        "currency",
        f"'the currency ' || currency || ' has no rate to ' || {literal(base)}",
        f"{literal(base)} || ', or a rate of ' || currency || ' to ' || {literal(base)}",
        "'Add rates.csv with currency,rate_to_base and a line for ' || currency || ', or give prices in ' || "
        f"{literal(base)} || '.'",
    )
    checked.refuse(name, f"currency NOT IN ({known})", words)
    cases = " ".join(f"WHEN {literal(code)} THEN {rate!r}::DOUBLE" for code, rate in rates.items() if code != base)
    columns = checked.tables[name].columns
    if cases:
        rate = f"(CASE currency {cases} END)"
        for column in MONEY[name]:
            columns[column] = f"CASE WHEN {rate} IS NULL THEN {column} ELSE {column} * {rate} END"
        if "price_breaks" in columns:
            scaled = f"CASE WHEN {rate} IS NOT NULL AND price_breaks IS NOT NULL THEN rescaled(price_breaks, {rate})"
            columns["price_breaks"] = f"{scaled} ELSE price_breaks END"
    columns["currency"] = f"coalesce({_only(known)}, {literal(base)})"


def _only(known: str) -> str:
    """A row keeps the currency that has no rate: that one is what its reject shows."""
    return f"CASE WHEN currency NOT IN ({known}) THEN currency END"
