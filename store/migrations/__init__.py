"""Numbered SQL scripts of both databases, applied once each, in order."""

from importlib.resources import files


def scripts(database: str) -> list[tuple[str, list[str]]]:
    """(name, statements) of every migration of `operations` or `warehouse`, oldest first."""
    folder = files("store") / "migrations" / database
    found = sorted((entry for entry in folder.iterdir() if entry.name.endswith(".sql")), key=lambda e: e.name)
    return [(entry.name.removesuffix(".sql"), _statements(entry.read_text(encoding="utf-8"))) for entry in found]


def _statements(script: str) -> list[str]:
    """Statements of a script; a semicolon at the end of a line ends one."""
    return [part.strip() for part in script.split(";\n") if part.strip()]
