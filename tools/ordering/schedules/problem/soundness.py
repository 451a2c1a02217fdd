"""Refuses a problem that the compiled programmes could not read safely, naming field, row and remedy."""

import numpy as np

from tools.domain.arrays import BoolArray, FloatArray, IntArray
from tools.ordering.schedules.problem.statement import ScheduleProblem

PER_ITEM = ("holding", "shortage", "end_value", "volume")
PER_SOURCE = (
    *("source_supplier", "lead", "unit_price", "freight", "fixed_cost", "least", "multiple", "largest"),
    *("first", "last", "effort_per_pack", "effort_per_order"),
)
PER_PERIOD = ("budget", "storage", "max_orders")
AT_LEAST_0 = ("holding", "shortage", "volume", "lead", "freight", "fixed_cost", "effort_per_pack", "effort_per_order")


def refuse_unsound(problem: ScheduleProblem) -> None:
    """Raise ValueError for wrong shapes, unknown suppliers, negative times or costs, and what is no number."""
    _shapes(problem)
    n_items, n_suppliers = problem.n_items, problem.capacity.shape[0]
    item, supplier = problem.source_item, problem.source_supplier
    _refuse("source_item", (item < 0) | (item >= n_items), item, f"0 to {n_items - 1}")
    _refuse("source_item", np.diff(item, prepend=item[:1]) < 0, item, "ascending order: sort the sources by item")
    _refuse("source_supplier", (supplier < 0) | (supplier >= n_suppliers), supplier, f"0 to {n_suppliers - 1}")
    for name in AT_LEAST_0:
        values = _values(problem, name)
        _refuse(name, ~(values >= 0), values, "0 or more")
    _refuse("shortage", np.isnan(problem.shortage), problem.shortage, "a number, or inf where none may be short")
    for name in ("requirement", "holding", "end_value", "volume", "unit_price", "freight", "fixed_cost"):
        values = _values(problem, name)
        _refuse(name, ~_whole_row(np.isfinite(values)), values, "finite numbers")
    _refuse("unit_price", problem.unit_price < 0, problem.unit_price, "0 or more")
    for name in ("capacity", *PER_PERIOD):
        values = _values(problem, name)
        _refuse(name, ~_whole_row(~np.isnan(values)), values, "numbers, or inf for no limit")


def _shapes(problem: ScheduleProblem) -> None:
    """Raise ValueError where an array has not one row for each item, source or period."""
    sizes: dict[str, tuple[int, ...]] = {name: (problem.n_items,) for name in PER_ITEM}
    sizes |= {name: (problem.source_item.size,) for name in PER_SOURCE}
    sizes |= {name: (problem.horizon,) for name in PER_PERIOD}
    sizes["break_packs"] = sizes["break_price"] = (problem.source_item.size, problem.break_packs.shape[-1])
    sizes["capacity"] = (problem.capacity.shape[0], problem.horizon)
    for name, shape in sizes.items():
        if _values(problem, name).shape != shape:
            raise ValueError(f"{name} has shape {_values(problem, name).shape}, expected {shape}")


def _refuse(name: str, wrong: BoolArray, values: FloatArray | IntArray, expected: str) -> None:
    rows = np.flatnonzero(wrong)
    if rows.size:
        row = int(rows[0])
        raise ValueError(f"{name} row {row} is {values[row]}, expected {expected} ({rows.size} such rows)")


def _whole_row(right: BoolArray) -> BoolArray:
    """Which rows are right throughout."""
    return np.asarray(right.all(axis=tuple(range(1, right.ndim))))


def _values(problem: ScheduleProblem, name: str) -> FloatArray:
    return getattr(problem, name)
