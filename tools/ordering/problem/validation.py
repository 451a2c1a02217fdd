"""What a planning snapshot must hold to be planned at all: the first fault found is named with its item or offer.

What is merely odd is planned and has a defined meaning: an MOQ above all need, prices that rise at a break, one source
or none, no demand, a lead time of nothing or beyond the horizon, limits of zero or below it.
"""

from collections.abc import Sequence
from typing import NamedTuple, NoReturn

import numpy as np

from tools.domain.arrays import FloatArray
from tools.domain.errors import BadInput
from tools.domain.snapshots import OrderingSettings, PlanningSnapshot
from tools.kernels import kernel

LARGEST = 1e300
"""Beyond it a float is not a number of anything."""
SUMS_TO_ONE = 1e-6
"""By how much the probabilities of a lead time may miss 1."""
LARGE = 1_000_000
"""Entries above which an array is looked through once by compiled code."""


class _Range(NamedTuple):
    """What the entries of a field may be."""

    field: str
    low: float
    high: float
    blank: bool
    """Whether nan is allowed."""
    expected: str


AMOUNT, ENDLESS = "a finite number of at least 0", "a number of at least 0, inf for no limit"
ITEMS = (
    _Range("on_hand", -LARGEST, LARGEST, False, "a finite number of units"),
    _Range("unit_value", 0.0, LARGEST, False, AMOUNT),
    _Range("holding_cost", 0.0, LARGEST, False, AMOUNT),
    _Range("shortage_cost", 0.0, LARGEST, True, AMOUNT + ", or nan where a service level is set"),
    _Range("service_level", 0.0, 1.0, True, "a share from 0 to 1, or nan where a shortage cost is set"),
    _Range("storage_volume", 0.0, LARGEST, False, AMOUNT),
    _Range("shelf_life_periods", 0.0, np.inf, False, ENDLESS),
    _Range("lost_share", 0.0, 1.0, False, "a share from 0 to 1"),
    _Range("fill_rate_target", 0.0, 1.0, True, "a share from 0 to 1, or nan for none"),
    _Range("frozen_periods", 0.0, LARGEST, False, "a whole number of at least 0"),
)
SOURCES = (
    _Range("unit_price", 0.0, LARGEST, False, AMOUNT),
    _Range("freight_per_unit", 0.0, LARGEST, False, AMOUNT),
    _Range("fixed_order_cost", 0.0, LARGEST, False, AMOUNT),
    _Range("moq", 0.0, LARGEST, False, AMOUNT),
    _Range("order_multiple", 0.0, LARGEST, False, AMOUNT + ", 0 for any quantity"),
    _Range("max_quantity", 0.0, np.inf, False, ENDLESS),
    _Range("capacity_per_period", 0.0, np.inf, False, ENDLESS),
    _Range("lead_time_days", 0.0, LARGEST, False, AMOUNT),
    _Range("yield_rate", 1e-6, LARGEST, False, "a finite share above 0"),
)
LIMITS = (
    _Range("supplier_capacity", -np.inf, np.inf, False, ENDLESS),
    _Range("supplier_min_order_value", -LARGEST, LARGEST, False, AMOUNT),
    _Range("supplier_max_share", 0.0, np.inf, False, "a share of at least 0"),
    _Range("joint_order_cost", 0.0, LARGEST, False, AMOUNT),
    _Range("supplier_capacity_by_period", -np.inf, np.inf, False, ENDLESS),
)
SETTINGS = (
    _Range("review_periods", 1, LARGEST, False, "a whole number of at least 1"),
    _Range("shortage_weight", 0.0, LARGEST, False, AMOUNT),
    _Range("max_share", 1e-9, np.inf, False, "a share above 0"),
    _Range("max_cover_periods", 0.0, np.inf, False, ENDLESS),
    _Range("time_limit_seconds", 0.0, np.inf, False, "a number of seconds of at least 0"),
    _Range("min_suppliers", -LARGEST, LARGEST, False, "a whole number"),
    _Range("cvar_weight", 0.0, 1.0, False, "a share from 0 to 1"),
    _Range("cvar_level", 0.0, 1.0 - 1e-9, False, "a share of at least 0 and below 1"),
)


def check_snapshot(snapshot: PlanningSnapshot, settings: OrderingSettings) -> None:
    """BadInput with the item, offer or limit, its field, what was expected and what to do, for the first fault."""
    _check_settings(settings)
    _check_shapes(snapshot)
    _check_paths(snapshot, "demand")
    _check_paths(snapshot, "arrivals")
    _check_ranges(snapshot, ITEMS, snapshot.item_ids, "item")
    _check_ranges(snapshot.sources, SOURCES, snapshot.sources.offer_ids, "offer")
    _check_targets(snapshot)
    _check_sources(snapshot)
    _check_limits(snapshot)


def _refuse(who: str, field: str, value: object, expected: str, **ids: object) -> NoReturn:
    raise BadInput(
        f"{who}: {field} is {value}; expected {expected}.",
        remedy=f"Correct {field} of {who[0].lower() + who[1:]} in the data it comes from.",
        field=field,
        **ids,
    )


def _check_settings(settings: OrderingSettings) -> None:
    for field, low, high, _, expected in SETTINGS:
        value = getattr(settings, field)
        if not low <= value <= high:
            _refuse("Ordering settings", field, value, expected)


def _check_shapes(snapshot: PlanningSnapshot) -> None:
    n_items, paths, horizon = _three(snapshot.demand)
    if horizon < 1 or paths < 1:
        _refuse(
            "The snapshot", "demand", f"of shape {snapshot.demand.shape}", "at least one sample path and one period"
        )
    wanted: list[tuple[object, str, tuple[int, ...]]] = [
        (snapshot, "demand", (snapshot.n_items, paths, horizon)),
        (snapshot, "arrivals", (snapshot.n_items, paths, horizon)),
        *((snapshot, rule.field, (n_items,)) for rule in ITEMS),
    ]
    rows, suppliers = len(snapshot.sources.offer_ids), len(snapshot.supplier_ids)
    own = ("item", "supplier", "expedite", "preference", "orderable", "incremental", "first_period", "last_period")
    wanted.extend((snapshot.sources, field, (rows,)) for field in (*own, *(rule.field for rule in SOURCES)))
    if snapshot.sources.path_delay.size:
        wanted.append((snapshot.sources, "path_delay", (rows, paths)))
    wanted.extend(
        (snapshot.limits, rule.field, (suppliers,)) for rule in LIMITS[:4] if getattr(snapshot.limits, rule.field).size
    )
    for table, field, shape in wanted:
        if getattr(table, field).shape != shape:
            _refuse("The snapshot", field, f"of shape {getattr(table, field).shape}", f"shape {shape}")
    if len(snapshot.site_ids) != snapshot.n_items:
        _refuse("The snapshot", "site_ids", f"of {len(snapshot.site_ids)} entries", f"one for each of {n_items} items")


def _three(demand: FloatArray) -> tuple[int, int, int]:
    if demand.ndim != 3:
        _refuse("The snapshot", "demand", f"of shape {demand.shape}", "items by sample paths by periods")
    return demand.shape


def _check_paths(snapshot: PlanningSnapshot, field: str) -> None:
    """Demand and open orders: no negative entry, no gap, nothing endless."""
    paths: FloatArray = getattr(snapshot, field)
    if paths.size > LARGE:
        fine = first_fault(np.ascontiguousarray(paths).reshape(-1)) < 0
    else:
        fine = float(paths.min()) >= 0 and float(paths.max()) <= LARGEST
    if fine:
        return
    item, path, period = (int(i) for i in np.argwhere(~((paths >= 0) & (paths <= LARGEST)))[0])
    item_id = snapshot.item_ids[item]
    where = f"{field} in period {period} of sample path {path}"
    _refuse(f"Item {item_id}", where, paths[item, path, period], AMOUNT + " of units", item_id=item_id)


@kernel()
def first_fault(values: FloatArray) -> int:
    """Place of the first entry that is negative, endless or not a number; -1 without one."""
    for place in range(values.size):
        if not (values[place] >= 0.0 and values[place] <= 1e300):
            return place
    return -1


def _check_ranges(table: object, rules: Sequence[_Range], ids: Sequence[str], kind: str) -> None:
    if not ids:
        return
    values = np.array([getattr(table, rule.field) for rule in rules], dtype=np.float64)
    low, high = (np.array([getattr(rule, end) for rule in rules])[:, None] for end in ("low", "high"))
    fine = (values >= low) & (values <= high)
    if fine.all():
        return
    blank = np.array([rule.blank for rule in rules])[:, None]
    faults = np.argwhere(~fine & ~(blank & np.isnan(values)))
    if faults.size:
        rule, row = rules[int(faults[0, 0])], int(faults[0, 1])
        value = values[int(faults[0, 0]), row]
        _refuse(f"{kind.capitalize()} {ids[row]}", rule.field, value, rule.expected, **{f"{kind}_id": ids[row]})


def _check_targets(snapshot: PlanningSnapshot) -> None:
    neither = np.isnan(snapshot.shortage_cost) & np.isnan(snapshot.service_level)
    if neither.any():
        item_id = snapshot.item_ids[int(np.argmax(neither))]
        expected = "one of the two, since nothing else says what being short costs"
        _refuse(f"Item {item_id}", "shortage_cost and service_level", "nan for both", expected, item_id=item_id)


def _check_sources(snapshot: PlanningSnapshot) -> None:
    """Whose each source is, in order; lead times that add up; breaks in order and with prices."""
    sources = snapshot.sources
    if not sources.item.size:
        return
    offers = sources.offer_ids
    for field, owners in (("item", snapshot.n_items), ("supplier", len(snapshot.supplier_ids))):
        index = getattr(sources, field)
        if index.min() < 0 or index.max() >= owners:
            row = int(np.argmax((index < 0) | (index >= owners)))
            _refuse(f"Offer {offers[row]}", field, index[row], f"a row from 0 to {owners - 1}", offer_id=offers[row])
    if (sources.item[1:] < sources.item[:-1]).any():
        row = 1 + int(np.argmax(np.diff(sources.item) < 0))
        expected = "sources in the order of their items"
        _refuse(f"Offer {offers[row]}", "item", sources.item[row], expected, offer_id=offers[row])
    lead = sources.lead_time
    if lead.ndim != 2 or lead.shape[0] != len(offers) or not lead.shape[1]:
        _refuse("The snapshot", "lead_time", f"of shape {lead.shape}", f"{len(offers)} rows of probabilities")
    wrong = ~((np.abs(lead.sum(axis=1) - 1) <= SUMS_TO_ONE) & (lead.min(axis=1) >= 0))
    if wrong.any():
        row = int(np.argmax(wrong))
        value = f"{np.round(lead[row], 6).tolist()}"
        expected = "probabilities of at least 0 that sum to 1"
        _refuse(f"Offer {offers[row]}", "lead_time", value, expected, offer_id=offers[row])
    if sources.path_delay.size and sources.path_delay.min() < 0:
        row = int(np.argmax(sources.path_delay.min(axis=1) < 0))
        delay = sources.path_delay[row].min()
        _refuse(f"Offer {offers[row]}", "path_delay", delay, "periods of at least 0", offer_id=offers[row])
    _check_breaks(snapshot)


def _check_breaks(snapshot: PlanningSnapshot) -> None:
    sources, offers = snapshot.sources, snapshot.sources.offer_ids
    point, price = sources.break_quantity, sources.break_price
    if point.shape != price.shape or point.ndim != 2 or point.shape[0] != len(offers):
        shapes = f"of shape {point.shape} and {price.shape}"
        _refuse("The snapshot", "break_quantity and break_price", shapes, f"{len(offers)} equal rows")
    if not point.size:
        return
    used = point < np.inf
    falling = ~(point[:, 1:] > point[:, :-1]) & ~(point[:, 1:] == np.inf)
    wrong = {
        "break_quantity": (falling.any(axis=1) | ~(point[:, 0] >= 0), "break points of at least 0 that ascend"),
        "break_price": ((used & ~((price >= 0) & (price <= LARGEST))).any(axis=1), AMOUNT + " at every break"),
    }
    for field, (rows, expected) in wrong.items():
        if rows.any():
            row = int(np.argmax(rows))
            value = getattr(sources, field)[row].tolist()
            _refuse(f"Offer {offers[row]}", field, value, expected, offer_id=offers[row])


def _check_limits(snapshot: PlanningSnapshot) -> None:
    """No limit may be no number; a limit below zero is planned as zero and said."""
    limits = snapshot.limits
    for field in ("budget", "storage", "max_orders"):
        if np.isnan(getattr(limits, field)):
            _refuse("The shared limits", field, "nan", ENDLESS)
    for rule in LIMITS:
        table: FloatArray = getattr(limits, rule.field)
        if not table.size:
            continue
        if rule.field.endswith("by_period") and (table.ndim != 2 or table.shape[0] != len(snapshot.supplier_ids)):
            expected = f"one row for each of {len(snapshot.supplier_ids)} suppliers"
            _refuse("The shared limits", rule.field, f"of shape {table.shape}", expected)
        wrong = ~((table >= rule.low) & (table <= rule.high))
        if wrong.any():
            at = tuple(int(i) for i in np.argwhere(wrong)[0])
            name = snapshot.supplier_ids[at[0]]
            _refuse(f"Supplier {name}", rule.field, table[at], rule.expected, supplier_id=name)
    for field in ("budget_by_period", "max_orders_by_period"):
        table = getattr(limits, field)
        if table.ndim != 1 or np.isnan(table).any():
            _refuse("The shared limits", field, table.tolist(), "one number a period, inf for no limit")
