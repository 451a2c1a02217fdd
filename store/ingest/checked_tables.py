"""The tables of an import while they are checked: typed columns in DuckDB, and what was refused of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from store.datasets.lineage import Reject
from store.datasets.staged import StagedTables, literal
from store.ingest.files.normalize import teach, typed_rows, unknown_columns
from store.ingest.files.shapes import SHAPES
from store.ingest.files.sources import Source

REFUSED = ("file", "row", "column_name", "reason", "expected", "remedy", "value")
FINDINGS = (
    "CREATE SCHEMA findings",
    "CREATE TABLE findings.refused (place INTEGER, step INTEGER, nth BIGINT, file VARCHAR, row BIGINT, "
    "column_name VARCHAR, reason VARCHAR, expected VARCHAR, remedy VARCHAR, value VARCHAR)",
    "CREATE TABLE findings.set_aside (file VARCHAR, row BIGINT, cells VARCHAR)",
)
ROWS_STEP = 0
"""Of what was refused before a row could be typed."""


@dataclass
class CheckedFile:
    """One file's rows. `columns` are SQL of each column of the schema, which a rule may fill or convert."""

    source: Source
    columns: dict[str, str]

    @property
    def file(self) -> str:
        """Name of the file."""
        return self.source.file

    @property
    def name(self) -> str:
        """The canonical table."""
        return self.source.table


@dataclass(frozen=True, slots=True)
class Words:
    """What is said of each row that a rule refuses: SQL texts over the row's columns."""

    column: str
    reason: str
    expected: str
    remedy: str


class CheckedTables:
    """Types the files of an import and keeps what rules refuse or leave out. Rows are named by `nth`, their place."""

    def __init__(self, staged: StagedTables) -> None:
        self._staged = staged
        self._step = ROWS_STEP
        self.tables: dict[str, CheckedFile] = {}
        staged.prepare(teach)
        with staged.using() as connection:
            connection.execute("; ".join(FINDINGS))

    def take(self, source: Source) -> None:
        """Type a file's rows; its ragged rows and the cells that are no such values are refused."""
        name, shape = source.table, SHAPES[source.table]
        self.tables[name] = CheckedFile(source, {column.name: column.name for column in shape.columns})
        with self._staged.using() as connection:
            connection.execute(f"CREATE TABLE out_{name} (nth BIGINT); CREATE TABLE {name} AS {typed_rows(source)}")
            if unknown_columns(source):
                rows = self.every(name, "aside")
                connection.execute(
                    f"INSERT INTO findings.set_aside SELECT ?, line, aside FROM {rows} ORDER BY nth",  # noqa: S608
                    [source.file],
                )
        self._note_ragged(source)
        ((faults,),) = self.ask(f"SELECT coalesce(bit_or(faults), 0) FROM {name}")  # noqa: S608
        for bit, column in enumerate(shape.columns):
            if not faults & 1 << bit:
                continue
            words = Words(
                column.name,
                f"why({literal(name)}, {literal(column.name)}, texts[{bit + 1}])",
                literal(column.expected),
                literal(f"Correct {column.name} in that row of {source.file}, or leave the row out."),
            )
            self.next_rule()
            self.refuse(name, f"faults & {1 << bit} <> 0", words, value=f"texts[{bit + 1}]", among="every")

    def _note_ragged(self, source: Source) -> None:
        place = list(SHAPES).index(source.table)
        rows = [
            (place, ROWS_STEP, at, r.file, r.row, r.column, r.reason, r.expected, r.remedy, r.value)
            for at, r in enumerate(source.rejects)
        ]
        if rows:
            with self._staged.using() as connection, connection.appender("findings.refused") as appender:
                appender.append_rows(rows)

    def next_rule(self) -> None:
        """What is refused from here on comes after what was refused before."""
        self._step += 1

    def every(self, name: str, *more: str) -> str:
        """SQL of all rows of a table: `nth`, `line`, its columns, and more that the typed table has."""
        table = self.tables[name]
        columns = [f"{text} AS {column}" for column, text in table.columns.items()]
        return f"(SELECT {', '.join([f'rowid AS nth, {table.source.line} AS line', *columns, *more])} FROM {name})"  # noqa: S608

    def good(self, name: str) -> str:
        """SQL of the rows that were neither refused nor left out."""
        return f"(FROM {self.every(name)} ANTI JOIN out_{name} USING (nth))"

    def refuse(
        self, name: str, condition: str, words: Words, *, value: str | None = None, among: str = "good", join: str = ""
    ) -> None:
        """Refuse the rows of a condition. `value` is SQL of what is shown of the row, else its cell of the column."""
        rows = self.every(name, "faults", "texts") if among == "every" else self.good(name)
        shown = value or (words.column if words.column in self.tables[name].columns else "''")
        ((count,),) = self.ask(
            f"INSERT INTO findings.refused SELECT {list(SHAPES).index(name)}, {self._step}, nth, "  # noqa: S608
            f"{literal(self.tables[name].file)}, line, {literal(words.column)}, {words.reason}, {words.expected}, "
            f"{words.remedy}, coalesce(({shown})::VARCHAR, '') FROM {rows} AS r {join} WHERE {condition} ORDER BY nth"
        )
        if count:
            self.ask(
                f"INSERT INTO out_{name} SELECT DISTINCT nth FROM findings.refused "  # noqa: S608
                f"WHERE place = {list(SHAPES).index(name)} AND step = {self._step} "
                f"AND nth NOT IN (SELECT nth FROM out_{name})"
            )

    def leave_out(self, name: str, condition: str, values: Sequence[Any] = ()) -> int:
        """Leave out the good rows of a condition without refusing them; how many they are."""
        ((count,),) = self.ask(
            f"INSERT INTO out_{name} SELECT nth FROM {self.good(name)} WHERE {condition}",  # noqa: S608
            values,
        )
        return int(count)

    def ask(self, query: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """The rows that a statement gives."""
        with self._staged.using() as connection:
            return connection.execute(query, list(values)).fetchall()

    def count(self, relation: str) -> int:
        """Rows of a relation."""
        return int(self.ask(f"SELECT count(*) FROM {relation}")[0][0])  # noqa: S608

    def kept(self) -> dict[str, int]:
        """Good rows by table."""
        counts = " UNION ALL ".join(f"SELECT '{name}', count(*) FROM {self.good(name)}" for name in self.tables)  # noqa: S608
        return dict(self.ask(counts))

    def finish(self, name: str) -> None:
        """Stage the good rows of a table."""
        self._staged.put(name, f"FROM {self.good(name)}")

    def rejects(self) -> list[Reject]:
        """Everything refused: by table, in the order of the rules, then of the rows."""
        rows = self.ask(f"SELECT {', '.join(REFUSED)} FROM findings.refused ORDER BY place, step, nth")  # noqa: S608
        return [Reject(*row) for row in rows]

    @property
    def rejected(self) -> int:
        """How many cells and rows were refused."""
        return self.count("findings.refused")

    def rejected_rows(self) -> dict[str, int]:
        """Refused rows by file."""
        return dict(self.ask("SELECT file, count(DISTINCT row) FROM findings.refused GROUP BY file"))

    def refused_first(self, caused: str) -> tuple[Reject, int, int]:
        """(what is to be corrected first, refusals of their own, refusals whose reasons end with `caused`)."""
        follows = f"ends_with(reason, {literal(caused)})"
        (row,) = self.ask(
            f"SELECT {', '.join(REFUSED)} FROM findings.refused ORDER BY {follows}, place, step, nth LIMIT 1"  # noqa: S608
        )
        ((count,),) = self.ask(f"SELECT count(*) FROM findings.refused WHERE {follows}")  # noqa: S608
        return Reject(*row), self.rejected - int(count), int(count)
