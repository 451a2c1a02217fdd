"""Numbered SQL scripts of both databases, applied once each, in order."""

from collections.abc import Iterable
from importlib.resources import files

from tools.domain.errors import OutOfReach


class NewerHome(OutOfReach):
    """A newer version of the program made this database; nothing in it was touched."""

    code = "JIT-405"


def refuse_newer(found: Iterable[str], known: Iterable[str], what: str) -> None:
    """NewerHome when a database has migrations that this version does not know."""
    latest, unknown = max(known), sorted(set(found) - set(known))
    if unknown:
        raise newer_home(f"{what} is at {unknown[-1]}, and this one knows it up to {latest}")


def newer_home(detail: str) -> NewerHome:
    """The refusal, with what is newer."""
    return NewerHome(
        f"A newer version of the program made this home: {detail}.",
        remedy="Install that version again, or set JIT_HOME to a backup from before it; nothing here was changed.",
    )


def scripts(database: str) -> list[tuple[str, list[str]]]:
    """(name, statements) of every migration of `operations` or `warehouse`, oldest first."""
    folder = files("store") / "migrations" / database
    found = sorted((entry for entry in folder.iterdir() if entry.name.endswith(".sql")), key=lambda e: e.name)
    return [(entry.name.removesuffix(".sql"), _statements(entry.read_text(encoding="utf-8"))) for entry in found]


def statements_for(statements: Iterable[str], dialect: str) -> list[str]:
    """The statements of a script that are for `sqlite` or `postgresql`, in its words.

    One whose first line names another database is left out.
    """
    identity = "INTEGER PRIMARY KEY AUTOINCREMENT" if dialect == "sqlite" else "BIGSERIAL PRIMARY KEY"
    found: list[str] = []
    for statement in statements:
        first, _, rest = statement.partition("\n")
        if not first.startswith("-- "):
            found.append(statement.replace("{identity}", identity))
        elif first == f"-- {dialect}":
            found.append(rest.replace("{identity}", identity))
    return found


def _statements(script: str) -> list[str]:
    """Statements of a script; a semicolon at the end of a line ends one."""
    return [part.strip() for part in script.split(";\n") if part.strip()]
