"""Answers of many rows, cut to a page: how many there are in all stands in a header."""

from collections.abc import Sequence
from typing import Annotated, TypeVar

from fastapi import Depends, Query, Response

from graph.views.plans import PlanView

Row = TypeVar("Row")
TOTAL = "X-Total-Count"
"""Header of an answer that is a page: how many rows there are in all."""
PAGE = 500
LONGEST_PAGE = 5_000
PLAN_PAGE = 1_000
"""Rows of each part of a plan, where nobody asks for another number."""
PARTS = ("steps", "risks", "options", "lines", "outlooks", "verdicts", "negotiations", "conflicts", "changes")
"""What a plan has many of."""


class Page:
    """Which rows are asked for, and where the answer tells how many there are."""

    def __init__(
        self,
        response: Response,
        limit: Annotated[int, Query(description="Rows of one answer, 5,000 at most.")] = PAGE,
        offset: Annotated[int, Query(description="Rows to pass over.")] = 0,
    ) -> None:
        self._response = response
        self.start = max(0, offset)
        self.limit = max(1, min(limit, LONGEST_PAGE))

    def of(self, rows: Sequence[Row]) -> Sequence[Row]:
        """The rows that were asked for; the header says how many there are."""
        return self.cut(rows[self.start : self.start + self.limit], len(rows))

    def cut(self, rows: Sequence[Row], total: int) -> Sequence[Row]:
        """Rows that were read as a page already; the header says how many there are."""
        self._response.headers[TOTAL] = str(total)
        return rows


Paged = Annotated[Page, Depends()]


def plan_page(plan: PlanView, limit: int, offset: int) -> PlanView:
    """A plan of which every part holds at most `limit` rows; its counts tell how many there are. 0 for everything."""
    if limit <= 0:
        return plan
    start = max(0, offset)
    counts = {part: len(getattr(plan, part)) for part in PARTS}
    if not start and all(count <= limit for count in counts.values()):
        return plan
    cut = {part: getattr(plan, part)[start : start + limit] for part in PARTS}
    return plan.model_copy(update={**cut, "counts": counts})
