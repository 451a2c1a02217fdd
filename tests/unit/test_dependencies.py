"""What is imported is declared in pyproject.toml, and what is declared is imported."""

import json
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
SHIPPED = [name.rstrip("*") for name in PROJECT["tool"]["setuptools"]["packages"]["find"]["include"]]
MODULES = PROJECT["tool"]["setuptools"]["py-modules"]


def findings(folder: Path, report: Path, *options: str) -> Sequence[tuple[str, str, str]]:
    """(file, rule, module) of everything that deptry finds with the settings of `folder`/pyproject.toml."""
    deptry = Path(sys.executable).with_name("deptry")
    command = [deptry, ".", "--json-output", report, *options]
    subprocess.run(command, cwd=folder, capture_output=True, check=False)
    told = json.loads(report.read_text(encoding="utf-8"))
    return [(one["location"]["file"], one["error"]["code"], one["module"]) for one in told]


def test_what_ships_imports_what_is_declared_and_declares_what_it_imports(tmp_path: Path) -> None:
    assert findings(ROOT, tmp_path / "found.json") == []


def test_tests_benchmarks_and_scripts_import_nothing_undeclared(tmp_path: Path) -> None:
    left_out = [rf"^{name}(/|\.py$)" for name in (*SHIPPED, *MODULES)]
    options = [f"--exclude={pattern}" for pattern in (r"^\.", r"^build/", *left_out)]
    found = findings(ROOT, tmp_path / "found.json", *options, "--extend-exclude=^$", "--ignore=DEP002,DEP004")
    assert [one for one in found if one[2] not in sibling_modules()] == []


def sibling_modules() -> set[str]:
    """Modules that a test or a script finds beside itself."""
    below = [place for folder in ("tests", "scripts/fresh") for place in (ROOT / folder).rglob("*")]
    return {place.stem for place in below if place.is_dir() or place.suffix == ".py"}


def test_an_undeclared_a_development_and_an_unused_module_are_told(tmp_path: Path) -> None:
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    (tmp_path / "store").mkdir()
    (tmp_path / "store" / "clock.py").write_text("import pytz\nimport statsforecast\n", encoding="utf-8")
    (tmp_path / "benchmarks").mkdir()
    (tmp_path / "benchmarks" / "peers.py").write_text("import nowhere\n", encoding="utf-8")
    found = findings(tmp_path, tmp_path / "found.json")
    assert [one for one in found if one[0] != "pyproject.toml"] == [
        ("store/clock.py", "DEP003", "pytz"),
        ("store/clock.py", "DEP004", "statsforecast"),
    ]
    unused = {module for _, rule, module in found if rule == "DEP002"}
    assert {"duckdb", "numpy", "typer"} <= unused
    assert "langchain" not in unused


def test_benchmarks_and_scripts_do_not_ship() -> None:
    assert not {"benchmarks", "scripts"} & set(SHIPPED)
