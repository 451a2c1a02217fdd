"""Text cells to typed values, in columns: DuckDB casts what it reads as we do, our parsers judge the rest."""

import math
from collections.abc import Callable
from datetime import date
from typing import Any

import duckdb

from store.datasets.lineage import Reject
from store.datasets.loading import parse_breaks
from store.datasets.staged import literal
from store.ingest.files.shapes import SHAPES, Column
from store.ingest.files.sources import Source

FLAGS = {"true": True, "t": True, "yes": True, "y": True, "1": True} | {
    "false": False,
    "f": False,
    "no": False,
    "n": False,
    "0": False,
}
NUMBER = r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,2})?"
DAY = r"[0-9]{4}-[0-9]{2}-[0-9]{2}([ T].*)?"
"""Notations that DuckDB reads as Python does."""


def missing_columns(source: Source) -> list[Reject]:
    """A reject of the header for every required column that the file lacks."""
    shape = SHAPES[source.table]
    absent = [column for column in shape.columns if column.required and column.name not in source.columns]
    return [
        Reject(
            file=source.file,
            row=1,
            column=column.name,
            reason="the required column is missing",
            expected=f"a column {column.name} with {column.expected}",
            remedy=f"Add the column to {source.file}, or rename the one that holds it.",
            value=", ".join(source.columns),
        )
        for column in absent
    ]


def typed_rows(source: Source) -> str:
    """SQL of a file's rows as typed columns, NULL where a cell is empty or refused.

    Beside them: `faults`, a bit for each refused cell by the column's place, `texts`, the row's cells where there is
    one, `aside`, the cells of unknown columns as JSON, and `line` where the file's relation has it.
    """
    columns = SHAPES[source.table].columns
    cells = [source.cell(column.name) or "NULL::VARCHAR" for column in columns]
    inner = ", ".join(
        f"{cell} AS t_{c.name}, {_value(c, cell)} AS v_{c.name}" for c, cell in zip(columns, cells, strict=True)
    )
    kept = ", ".join([f"{_aside(source)} AS aside", *(["line"] if source.has_lines else [])])
    faults = " | ".join(f"CASE WHEN {_fault(c)} THEN {1 << bit} ELSE 0 END" for bit, c in enumerate(columns))
    outer = ", ".join(f"CASE WHEN {_admitted(c)} THEN v_{c.name}::{TYPES[c.kind]} END AS {c.name}" for c in columns)
    texts = ", ".join(f"t_{c.name}" for c in columns)
    return (
        f"SELECT {outer}, faults, CASE WHEN faults <> 0 THEN [{texts}] END AS texts, aside"  # noqa: S608
        f"{', line' if source.has_lines else ''} FROM (SELECT *, {faults} AS faults FROM "
        f"(SELECT {inner}, {kept} FROM {source.relation}))"
    )


def unknown_columns(source: Source) -> tuple[str, ...]:
    """Columns of a file that the schema does not have."""
    return tuple(name for name in source.columns if name not in SHAPES[source.table].names)


def _aside(source: Source) -> str:
    pairs = [f"{literal(name)}, coalesce({source.cell(name)}, '')" for name in unknown_columns(source)]
    return f"json_object({', '.join(pairs)})::VARCHAR" if pairs else "NULL::VARCHAR"


def _value(column: Column, cell: str) -> str:
    """SQL of a cell's value; NULL where it is none of the column's kind."""
    if cell.startswith("NULL"):
        return f"NULL::{TYPES[column.kind]}"
    if column.choices:
        known = ", ".join(map(literal, column.choices))
        return f"CASE WHEN lower({cell}) IN ({known}) THEN lower({cell}) WHEN {cell} IN ({known}) THEN {cell} END"
    if column.kind == "text":
        return cell
    if column.kind == "flag":
        named = {
            flag: ", ".join(literal(text) for text, known in FLAGS.items() if known is flag) for flag in (True, False)
        }
        yes, no = (f"lower({cell}) IN ({named[flag]})" for flag in (True, False))
        return f"CASE WHEN {yes} THEN true WHEN {no} THEN false END"
    if column.kind == "breaks":
        return f"CASE WHEN {cell} IS NOT NULL THEN parse_breaks({cell}) END"
    if column.kind == "date":
        return (
            f"CASE WHEN regexp_full_match({cell}, '{DAY}') AND {cell} >= '0001' THEN "
            f"try_cast(left({cell}, 10) AS DATE) WHEN {cell} IS NOT NULL THEN parse_date({cell}) END"
        )
    return (
        f"CASE WHEN regexp_full_match({cell}, '{NUMBER}') THEN try_cast({cell} AS DOUBLE) "
        f"WHEN {cell} IS NOT NULL THEN parse_number({cell}) END"
    )


def _admitted(column: Column) -> str:
    """SQL of `Column.admits` for a value that is one of the column's kind."""
    value = f"v_{column.name}"
    rules = [f"{value} IS NOT NULL"]
    if column.kind in ("number", "integer"):
        rules.append(f"abs({value}) <= {column.largest!r}")
        rules += [f"{value} = floor({value})"] * (column.kind == "integer")
    rules += [f"{value} >= {column.low!r}"] * (column.low is not None)
    rules += [f"{value} > {column.above!r}"] * (column.above is not None)
    rules += [f"{value} <= {column.high!r}"] * (column.high is not None)
    return " AND ".join(rules)


def _fault(column: Column) -> str:
    empty = "true" if column.required else "false"
    return f"CASE WHEN t_{column.name} IS NULL THEN {empty} ELSE NOT ({_admitted(column)}) END"


def teach(connection: duckdb.DuckDBPyConnection) -> None:
    """Give a connection our parsers and notations as functions."""
    for name, (function, takes, gives) in FUNCTIONS.items():
        connection.create_function(name, function, takes, gives, null_handling="special")  # pyright: ignore


def why(table: str, name: str, cell: str | None) -> str:
    """Why a cell is refused."""
    column = SHAPES[table].column(name)
    if cell is None:
        return "the cell is empty"
    try:
        value = PARSERS[column.kind](cell)
    except ValueError:
        return f"{cell!r} is not {WHAT[column.kind]}"
    if column.choices:
        return f"{cell!r} is not known"
    if abs(value) > column.largest:
        return f"{name} {cell} is beyond {column.largest:g}"
    return f"{name} {cell} is negative" if value < 0 else f"{name} {cell} is out of bounds"


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
    """CheckedFile here, stored as text."""
    for step in parse_breaks(cell):
        if step.quantity <= 0 or step.unit_price < 0 or not math.isfinite(step.quantity + step.unit_price):
            raise ValueError(cell)
    return cell


def _text(cell: str) -> str:
    return cell


def _or_none(parse: Callable[[str], Any]) -> Callable[[str | None], Any]:
    def parsed(cell: str | None) -> Any:
        try:
            return None if cell is None else parse(cell)
        except ValueError:
            return None

    return parsed


def _rescaled(breaks: str, rate: float) -> str:
    """Price breaks in another currency."""
    return ";".join(f"{step.quantity!r}:{step.unit_price * rate!r}" for step in parse_breaks(breaks))


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
TYPES = {
    "text": "VARCHAR",
    "number": "DOUBLE",
    "integer": "INTEGER",
    "date": "DATE",
    "flag": "BOOLEAN",
    "breaks": "VARCHAR",
}


def _short(value: float) -> str:
    return f"{value:g}"


FUNCTIONS: dict[str, tuple[Callable[..., Any], list[str], str]] = {
    "parse_number": (_or_none(_number), ["VARCHAR"], "DOUBLE"),
    "parse_date": (_or_none(_day), ["VARCHAR"], "DATE"),
    "parse_breaks": (_or_none(_breaks), ["VARCHAR"], "VARCHAR"),
    "why": (why, ["VARCHAR", "VARCHAR", "VARCHAR"], "VARCHAR"),
    "rescaled": (_rescaled, ["VARCHAR", "DOUBLE"], "VARCHAR"),
    "quoted": (repr, ["VARCHAR"], "VARCHAR"),
    "short": (_short, ["DOUBLE"], "VARCHAR"),
}
"""Functions for SQL: their Python, and the types that they take and give."""
