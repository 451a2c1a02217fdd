"""Rules between cells, rows and tables: keys, references, dates in order, limits that fit each other."""

from store.datasets.staged import literal
from store.ingest.checked_tables import CheckedTables, Words
from store.ingest.files.shapes import SHAPES
from tools.domain.catalogue import LimitKind

MAIN = "MAIN"
REFERENCES = {
    "item_id": ("items", ("offers", "demand", "calendar", "forecasts", "stock", "purchase_orders", "receipts")),
    "supplier_id": ("suppliers", ("offers", "purchase_orders", "receipts", "limits")),
    "site_id": ("sites", ("offers", "demand", "stock", "purchase_orders", "receipts")),
}
"""Column to the table that it names a row of, and the tables that use it."""
FOLLOWS = "is refused in its own file"
"""Ends the reason of a reject that another one causes: correct that one, and this one is gone."""
OF_SUPPLIER = (LimitKind.CAPACITY, LimitKind.SHARE, LimitKind.JOINT_COST)
"""Limits of one supplier each; the others are the buyer's."""
PER_WEEK = (LimitKind.CAPACITY, LimitKind.BUDGET, LimitKind.ORDERS)
"""Limits that days may bound."""
NAMES = {"item_id": "item", "supplier_id": "supplier", "site_id": "site"}


def check(checked: CheckedTables) -> None:
    """Refuse every row that breaks a rule; sites left out are filled in before."""
    _fill_sites(checked)
    for name in checked.tables:
        _unique_keys(checked, name)
    for column, (target, users) in REFERENCES.items():
        if target in checked.tables:
            for user in users:
                if user in checked.tables:
                    _known(checked, user, column, target)
    for name, fit in (("offers", _offers_fit), ("stock", _counts_dated), ("limits", _limits_fit)):
        if name in checked.tables:
            checked.next_rule()
            fit(checked)
    for name, later in (("receipts", "receipt_date"), ("purchase_orders", "promised_date")):
        if name in checked.tables:
            _not_before_order(checked, name, later)


def _here(checked: CheckedTables, name: str) -> str:
    return f"in that row of {checked.tables[name].file}."


def _fill_sites(checked: CheckedTables) -> None:
    """A row without a site belongs to the only site, or to MAIN when no site is named anywhere."""
    users = [name for name in REFERENCES["site_id"][1] if name in checked.tables]
    if "sites" in checked.tables:
        found = checked.ask("SELECT DISTINCT site_id FROM sites")
    else:
        used = " UNION ALL ".join(f"SELECT site_id FROM {name}" for name in users)  # noqa: S608
        found = checked.ask(f"SELECT DISTINCT site_id FROM ({used}) WHERE site_id IS NOT NULL")  # noqa: S608
    only = found[0][0] if len(found) == 1 else None if found else MAIN
    checked.next_rule()
    for name in users:
        if only is None:
            remedy = literal(f"Name the site {_here(checked, name)}")
            words = Words("site_id", "'the row names no site'", "'a site, since there are several'", remedy)
            checked.refuse(name, "site_id IS NULL", words, among="every")
        else:
            checked.tables[name].columns["site_id"] = f"coalesce(site_id, {literal(only)})"


def _unique_keys(checked: CheckedTables, name: str) -> None:
    key, file = SHAPES[name].key, checked.tables[name].file
    named = ", ".join(key)
    ((several,),) = checked.ask(
        f"CREATE TABLE twice_{name} AS SELECT {named}, min(nth) AS first, arg_min(line, nth) AS first_line "  # noqa: S608
        f"FROM {checked.good(name)} GROUP BY {named} HAVING count(*) > 1"
    )
    if not several:
        return
    same = " AND ".join(f"r.{column} IS NOT DISTINCT FROM t.{column}" for column in key)
    shown = ", ".join(f"'{column} ' || r.{column}::VARCHAR" for column in key)
    words = Words(
        key[0],
        f"'the key (' || concat_ws(', ', {shown}) || ') is already in row ' || first_line",
        literal(f"one row for each {named}"),
        literal(f"Leave out one of the two rows of {file}, or add them up."),
    )
    checked.next_rule()
    checked.refuse(name, "nth <> first", words, value=f"r.{key[0]}", join=f"JOIN twice_{name} t ON {same}")


def _known(checked: CheckedTables, name: str, column: str, target: str) -> None:
    file, other = checked.tables[name].file, checked.tables[target].file
    known = f"SELECT {column} FROM {checked.good(target)}"  # noqa: S608
    named = f"SELECT {column} FROM {checked.every(target)} WHERE {column} IS NOT NULL"  # noqa: S608
    words = Words(
        column,
        f"'the {NAMES[column]} ' || quoted({column}) || "
        f"CASE WHEN {column} IN ({named}) THEN ' {FOLLOWS}' ELSE ' is unknown' END",
        literal(f"{'an' if column[0] in 'aeiou' else 'a'} {column} of {other}"),
        f"'Add ' || {column} || {literal(f' to {other}, or correct the row of {file}.')}",
    )
    checked.next_rule()
    checked.refuse(name, f"{column} IS NOT NULL AND {column} NOT IN ({known})", words)


def _offers_fit(checked: CheckedTables) -> None:
    here, most = _here(checked, "offers"), "short(max_quantity)"
    words = Words(
        "moq",
        f"'the MOQ ' || short(moq) || ' is above the max_quantity ' || {most}",
        f"'an MOQ of at most ' || {most}",
        literal(f"Lower moq or raise max_quantity {here}"),
    )
    checked.refuse("offers", "moq > max_quantity", words)
    words = Words(
        "valid_to",
        "'the offer ends on ' || valid_to || ', before it starts on ' || valid_from",
        "valid_from || ' or later'",
        literal(f"Correct valid_from or valid_to {here}"),
    )
    checked.refuse("offers", "valid_to < valid_from", words)


def _limits_fit(checked: CheckedTables) -> None:
    """A supplier stands where the kind is a supplier's, a share is at most 1, and the days are in order."""
    of_supplier, per_week = (", ".join(literal(kind) for kind in kinds) for kinds in (OF_SUPPLIER, PER_WEEK))
    rules = (
        (
            f"kind IN ({of_supplier}) AND supplier_id IS NULL",
            ("supplier_id", "'a limit of kind ' || kind || ' names no supplier'", "'the supplier that is limited'"),
            "Name the supplier",
        ),
        (
            f"kind NOT IN ({of_supplier}) AND supplier_id IS NOT NULL",
            ("supplier_id", "'a limit of kind ' || kind || ' has no supplier'", "'an empty cell'"),
            "Empty supplier_id",
        ),
        (
            f"kind = '{LimitKind.SHARE}' AND amount > 1",
            ("amount", "'the share ' || short(amount) || ' is above 1'", "'a share of 0 to 1'"),
            "Write 0.6 for 60 %",
        ),
        (
            f"kind NOT IN ({per_week}) AND (from_date IS NOT NULL OR to_date IS NOT NULL)",
            ("from_date", "'a limit of kind ' || kind || ' holds on any day'", "'no dates'"),
            "Empty both dates",
        ),
        (
            "to_date < from_date",
            (
                "to_date",
                "'the limit ends on ' || to_date || ', before it starts on ' || from_date",
                "from_date || ' or later'",
            ),
            "Correct from_date or to_date",
        ),
    )
    for condition, (column, reason, expected), remedy in rules:
        words = Words(column, reason, expected, literal(f"{remedy} {_here(checked, 'limits')}"))
        checked.refuse("limits", condition, words)


def _counts_dated(checked: CheckedTables) -> None:
    """Of several counts of an item and site each needs its day: without them none is the latest."""
    several = f"SELECT item_id, site_id FROM {checked.good('stock')} GROUP BY ALL HAVING count(*) > 1"  # noqa: S608
    remedy = f"Name the day of the count in that row of {checked.tables['stock'].file}, or keep one row of the item."
    reason = "'the row names no day, and item ' || item_id || ' has other rows'"
    words = Words("as_of", reason, "'the day of the count'", literal(remedy))
    checked.refuse("stock", f"as_of IS NULL AND (item_id, site_id) IN ({several})", words)


def _not_before_order(checked: CheckedTables, name: str, later: str) -> None:
    word = later.removesuffix("_date")
    words = Words(
        later,
        f"'the {word} date ' || {later} || ' is before the order date ' || order_date",
        "order_date || ' or later'",
        literal(f"Correct order_date or {later} {_here(checked, name)}"),
    )
    checked.next_rule()
    checked.refuse(name, f"{later} < order_date", words)
