"""A table of any length: searched, sorted and cut on the server, so that a page holds the rows that it shows."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Generic, TypeVar

from nicegui import run, ui
from nicegui.events import GenericEventArguments

from web.pages.widgets.parts import heading

Shown = TypeVar("Shown")
Row = Mapping[str, Any]
ROWS_OFFERED = (8, 15, 50, 100)
"""How many rows a page may have."""


class PagedTable(Generic[Shown]):
    """Sorting, page and search stay when rows change; `row` makes the cells of what is listed."""

    def __init__(
        self,
        title: str,
        search: str,
        columns: Sequence[dict[str, Any]],
        row: Callable[[Shown], Row],
        *,
        row_key: str,
        pagination: Mapping[str, Any],
    ) -> None:
        self._row = row
        self._all: Sequence[Shown] = ()
        self._count = 0
        with ui.row().classes("table-head"):
            heading(title)
            ui.space()
            self._search = ui.input(placeholder=search, on_change=self._searched).props(
                f'dense outlined clearable aria-label="{search}" debounce=150'
            )
        known = {"page": 1, "rowsNumber": 0, "sortBy": None, "descending": False, **pagination}
        self.table = ui.table(
            columns=[dict(column) for column in columns], rows=[], row_key=row_key, pagination=known
        ).classes("sheet")
        self.table.props("flat dense").props["rows-per-page-options"] = list(ROWS_OFFERED)
        self.table.on("request", self._asked, ["pagination"])
        self.table.on("update:pagination", self._keep_count, [])

    async def show(self, found: Sequence[Shown]) -> None:
        """List these."""
        self._all = found
        await self._cut()

    def _keep_count(self) -> None:
        """A table tells where it stands when it appears, which may be before it was told how many rows there are."""
        if self.table.pagination.get("rowsNumber") != self._count:
            self.table.pagination = {**self.table.pagination, "rowsNumber": self._count}
            self.table.update()

    async def _searched(self) -> None:
        self.table.pagination = {**self.table.pagination, "page": 1}
        await self._cut()

    async def _asked(self, event: GenericEventArguments) -> None:
        asked = event.args["pagination"]
        wanted = {name: asked.get(name) for name in ("page", "rowsPerPage", "sortBy", "descending")}
        if wanted["rowsPerPage"] not in ROWS_OFFERED:
            wanted["rowsPerPage"] = ROWS_OFFERED[-1]
        self.table.pagination = {**self.table.pagination, **wanted}
        await self._cut()

    async def _cut(self) -> None:
        """Send the rows of the page that is asked for, and how many there are of what is searched for."""
        asked, wanted = self.table.pagination, str(self._search.value or "").strip().casefold()
        fields = {column["name"]: column["field"] for column in self.table.columns}
        sort = fields.get(asked["sortBy"] or "")
        found = await run.io_bound(self._found, wanted, sort, bool(asked["descending"]))
        if found is None:
            return
        self._count = len(found)
        size = int(asked["rowsPerPage"])
        page = max(1, min(int(asked["page"]), -(-len(found) // size)))
        self.table.pagination = {**asked, "page": page, "rowsNumber": self._count}
        self.table.rows = [dict(row) for row in found[(page - 1) * size : page * size]]
        self.table.update()

    def _found(self, wanted: str, sort: str | None, descending: bool) -> list[Row]:
        rows = [self._row(one) for one in self._all]
        if wanted:
            rows = [row for row in rows if wanted in " ".join(map(str, row.values())).casefold()]
        return rows if sort is None else sorted(rows, key=lambda row: row[sort], reverse=descending)
