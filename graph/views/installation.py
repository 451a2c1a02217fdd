"""The installation as the doors see it: its parts, its datasets, and the rows that an import turned away."""

from datetime import date, datetime

from graph.views.base import View


class PartView(View):
    """Whether one part of the installation answers."""

    part: str
    ok: bool
    detail: str


class DatasetView(View):
    """A dataset version in short."""

    version: str
    as_of: date
    created_at: datetime
    active: bool
    parent: str | None
    source: str
    rows: int
    """Over all tables."""


class RejectView(View):
    """A row that an import turned away."""

    file: str
    row: int
    column: str
    reason: str
    expected: str
    remedy: str
    value: str
    import_id: str
