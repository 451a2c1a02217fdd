"""Data: what is imported, what was turned away, and what the ERP reports back."""

from collections.abc import Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Annotated

import typer

from commands.groups import Group
from commands.opening import printed, report, session, stored
from commands.options import AsJson
from tools.domain.errors import BadInput

GROUP = Group("Data")


@GROUP.command("import", example="import path/to/folder --as-of 2026-06-30")
def import_folder(
    folder: Annotated[Path, typer.Argument(help="Folder of CSV or Parquet files in the canonical schema.")],
    as_of: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Clock of the data.")] = None,
    lenient: Annotated[bool, typer.Option(help="Import the good rows even when some are rejected.")] = False,
    as_json: AsJson = False,
) -> None:
    """Read a folder into a new dataset version; all or nothing unless --lenient."""
    found = imported(folder, as_of.date() if as_of else None, lenient=lenient, quiet=as_json, printing=not as_json)
    printed(found, as_json)


def imported(folder: Path, as_of: date | None, *, lenient: bool, quiet: bool, printing: bool) -> Mapping[str, object]:
    """Import a folder; gives the report, which is printed when asked for. A refused import tells its rejected rows."""
    from terminal.screen import working

    try:
        with working(f"Importing {folder}", quiet=quiet):
            found = session().import_folder(str(folder.absolute()), as_of=as_of, lenient=lenient)
    except BadInput as error:
        if not quiet:
            from terminal.given import rejects_of
            from terminal.reports import show_rejects

            show_rejects(rejects_of(session(), str(error.context.get("import_id", ""))))
        raise
    if printing:
        from terminal.reports import show_import

        show_import(found)
    return found


@GROUP.command("rejects", example="rejects")
def rejects(
    import_id: Annotated[str | None, typer.Argument(help="Import id, as a refused import tells it.")] = None,
    as_json: AsJson = False,
) -> None:
    """Every row that imports turned away: file, row, column, reason, remedy."""
    from terminal.screen import working

    with working("Reading rejected rows", quiet=as_json):
        from terminal.given import rejects_of

        found = rejects_of(stored(), import_id)
    from terminal.reports import show_rejects

    if not printed(found, as_json) and not show_rejects(found, everything=True):
        typer.echo("No row was rejected.")


@GROUP.command("datasets", example="datasets")
def datasets(as_json: AsJson = False) -> None:
    """Dataset versions, newest first; `jit rollback VERSION` makes an earlier one active again."""
    from terminal.screen import working

    with working("Reading dataset versions", quiet=as_json):
        found = list(stored().datasets())
    from terminal.reports import show_datasets

    if not printed(found, as_json):
        show_datasets(found)


@GROUP.command("observe", example="observe --advance-days 30")
def observe(
    advance_days: Annotated[int, typer.Option(min=0, max=365, help="Sandbox ERP only: move its clock first.")] = 0,
    as_json: AsJson = False,
) -> None:
    """Read confirmations and receipts back from the ERP and learn from them."""
    from terminal.screen import working

    with working("Reading back from the ERP", quiet=as_json):
        result = session().observe(advance_days)
    report(result, as_json)
