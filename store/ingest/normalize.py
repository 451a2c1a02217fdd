"""Text cells to typed values, column by column; what cannot be one is a reject with its reason."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any

from store.datasets import parse_breaks
from store.ingest.shapes import LARGEST, SHAPES, Column
from store.ingest.sources import RawTable
from store.lineage import Reject

FLAGS = {"true": True, "t": True, "yes": True, "y": True, "1": True} | {
    "false": False,
    "f": False,
    "no": False,
    "n": False,
    "0": False,
}


@dataclass
class TypedTable:
    """Typed columns of one file with the lines that they came from. `bad` holds positions of rejected rows."""

    table: str
    file: str
    columns: dict[str, list[Any]]
    lines: list[int]
    bad: set[int]
    rejects: list[Reject]

    def reject(self, position: int, column: str, reason: str, expected: str, remedy: str) -> None:
        """Refuse a row."""
        self.bad.add(position)
        value = self.columns[column][position] if column in self.columns else ""
        text = "" if value is None else str(value)
        self.rejects.append(Reject(self.file, self.lines[position], column, reason, expected, remedy, text))

    def good(self) -> list[int]:
        """Positions of the rows that were not refused."""
        return [position for position in range(len(self.lines)) if position not in self.bad]

    def rows(self) -> list[tuple[Any, ...]]:
        """Good rows, columns in stored order."""
        columns = [self.columns[name] for name in SHAPES[self.table].names]
        return [tuple(column[position] for column in columns) for position in self.good()]


def missing_columns(raw: RawTable) -> list[Reject]:
    """A reject of the header for every required column that the file lacks."""
    shape = SHAPES[raw.table]
    absent = [column for column in shape.columns if column.required and column.name not in raw.columns]
    return [
        Reject(
            file=raw.file,
            row=1,
            column=column.name,
            reason="the required column is missing",
            expected=f"a column {column.name} with {column.expected}",
            remedy=f"Add the column to {raw.file}, or rename the one that holds it.",
            value=", ".join(raw.columns),
        )
        for column in absent
    ]


def typed(raw: RawTable) -> TypedTable:
    """Typed columns; empty cells of optional columns become None."""
    shape = SHAPES[raw.table]
    table = TypedTable(raw.table, raw.file, {}, raw.lines, set(), list(raw.rejects))
    for column in shape.columns:
        cells = raw.columns.get(column.name)
        if cells is None:
            table.columns[column.name] = [None] * len(raw.lines)
        else:
            _fill(table, column, cells)
    return table


def set_aside(raw: RawTable) -> dict[int, dict[str, str]]:
    """Cells of unknown columns, by line."""
    unknown = [name for name in raw.columns if name not in SHAPES[raw.table].names]
    if not unknown:
        return {}
    return {line: {name: raw.columns[name][position] for name in unknown} for position, line in enumerate(raw.lines)}


def _fill(table: TypedTable, column: Column, cells: list[str]) -> None:
    parse = PARSERS[column.kind]
    values: list[Any] = []
    table.columns[column.name] = values
    for position, cell in enumerate(cells):
        values.append(cell or None)
        if not cell:
            if column.required:
                _refuse(table, position, column, "the cell is empty")
            continue
        try:
            value = parse(cell)
        except ValueError:
            _refuse(table, position, column, f"{cell!r} is not {WHAT[column.kind]}")
            continue
        value = value.lower() if column.choices and value.lower() in column.choices else value
        if column.admits(value):
            values[position] = value
        else:
            _refuse(table, position, column, _why(column, cell, value))


def _why(column: Column, cell: str, value: Any) -> str:
    if column.choices:
        return f"{cell!r} is not known"
    if abs(value) > LARGEST:
        return f"{column.name} {cell} is beyond {LARGEST:g}"
    return f"{column.name} {cell} is negative" if value < 0 else f"{column.name} {cell} is out of bounds"


def _refuse(table: TypedTable, position: int, column: Column, reason: str) -> None:
    remedy = f"Correct {column.name} in that row of {table.file}, or leave the row out."
    table.reject(position, column.name, reason, column.expected, remedy)


def _number(cell: str) -> float:
    value = float(cell.replace("_", "x"))
    if not math.isfinite(value):
        raise ValueError(cell)
    return value


def _integer(cell: str) -> int:
    value = _number(cell)
    if value != int(value):
        raise ValueError(cell)
    return int(value)


def _day(cell: str) -> date:
    if len(cell) > 10 and cell[10] not in " T":
        raise ValueError(cell)
    return date.fromisoformat(cell[:10])


def _flag(cell: str) -> bool:
    found = FLAGS.get(cell.lower())
    if found is None:
        raise ValueError(cell)
    return found


def _breaks(cell: str) -> str:
    """Checked here, stored as text."""
    for step in parse_breaks(cell):
        if step.quantity <= 0 or step.unit_price < 0 or not math.isfinite(step.quantity + step.unit_price):
            raise ValueError(cell)
    return cell


def _text(cell: str) -> str:
    return cell


PARSERS: dict[str, Callable[[str], Any]] = {
    "text": _text,
    "number": _number,
    "integer": _integer,
    "date": _day,
    "flag": _flag,
    "breaks": _breaks,
}
WHAT = {
    "text": "a text",
    "number": "a plain number",
    "integer": "a whole number",
    "date": "a day written as year-month-day",
    "flag": "true or false",
    "breaks": "a list of price breaks",
}
