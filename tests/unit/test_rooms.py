"""Rooms stay small: files in a folder, lines in a file, and how far imports go inside one folder."""

import ast
from collections import defaultdict
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
HOUSES = (
    "agents",
    "benchmarks",
    "commands",
    "erp",
    "evals",
    "graph",
    "policies",
    "scripts",
    "store",
    "terminal",
    "tests",
    "tools",
    "web",
)
MOST_FILES, MOST_LINES, MOST_LEVELS = 20, 400, 6
EXCEPTIONS = {"benchmarks": "every file is a command of its own, `python -m benchmarks.NAME`, with one name for all"}
"""Folders that may hold more files, each with its reason."""


def modules(folder: Path) -> dict[str, Path]:
    """Python files of a folder by module name, without its own `__init__`."""
    return {file.stem: file for file in sorted(folder.glob("*.py")) if file.stem != "__init__"}


@cache
def rooms() -> tuple[Path, ...]:
    """Every folder with Python files in it."""
    return tuple(sorted({file.parent for house in HOUSES for file in (ROOT / house).rglob("*.py")}))


def imported(file: Path, package: str, names: set[str]) -> set[str]:
    """Modules among `names` of the same package that a file imports, wherever in it."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            parts = [node.module or ""] if node.module != package else [f"{package}.{a.name}" for a in node.names]
        elif isinstance(node, ast.Import):
            parts = [alias.name for alias in node.names]
        else:
            continue
        found |= {part.removeprefix(f"{package}.") for part in parts} & names
    return found


def longest_chain(folder: Path) -> list[str]:
    """The longest chain of imports among the files of one folder; a circle is an error."""
    known = modules(folder)
    package = ".".join(folder.relative_to(ROOT).parts)
    imports = {name: imported(file, package, set(known)) for name, file in known.items()}
    chains: dict[str, list[str]] = {}

    def chain(name: str, above: tuple[str, ...]) -> list[str]:
        assert name not in above, f"{folder}: a circle, {' -> '.join((*above, name))}"
        if name not in chains:
            below = [chain(other, (*above, name)) for other in sorted(imports[name] - {name})]
            chains[name] = [name, *max(below, key=len, default=[])]
        return chains[name]

    return max((chain(name, ()) for name in known), key=len, default=[])


@pytest.mark.parametrize("folder", rooms(), ids=lambda folder: str(folder.relative_to(ROOT)))
def test_a_room_is_small_enough_to_be_known(folder: Path) -> None:
    name = str(folder.relative_to(ROOT))
    count = len(list(folder.glob("*.py")))
    assert count <= MOST_FILES or name in EXCEPTIONS, f"{count} files: cut the folder by concept"
    lengths = {file.name: len(file.read_text(encoding="utf-8").splitlines()) for file in folder.glob("*.py")}
    assert {file: lines for file, lines in lengths.items() if lines > MOST_LINES} == {}
    chain = longest_chain(folder)
    assert len(chain) <= MOST_LEVELS, " -> ".join(chain)


def test_exceptions_are_needed() -> None:
    crowded = {str(folder.relative_to(ROOT)) for folder in rooms() if len(list(folder.glob("*.py"))) > MOST_FILES}
    assert set(EXCEPTIONS) <= crowded


def test_file_names_are_told_apart() -> None:
    """Two modules of one house may share a name only where folders say what differs."""
    names = defaultdict(list)
    for house in ("tools", "graph"):
        for folder in (ROOT / house).rglob("*.py"):
            if folder.stem != "__init__":
                names[house, folder.stem].append(str(folder.parent.relative_to(ROOT)))
    assert {key: found for key, found in names.items() if len(found) > 2} == {}


def test_a_chain_and_a_circle_are_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(f"{__name__}.ROOT", tmp_path)
    folder = tmp_path / "house"
    folder.mkdir()
    (folder / "a.py").write_text("from house.b import x\n")
    (folder / "b.py").write_text("def f():\n    from house import c\n")
    (folder / "c.py").write_text("import os\n")
    assert longest_chain(folder) == ["a", "b", "c"]
    (folder / "c.py").write_text("import house.a\n")
    with pytest.raises(AssertionError, match="circle"):
        longest_chain(folder)
