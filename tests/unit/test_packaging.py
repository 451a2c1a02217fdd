"""What an installation brings: names nobody else owns, a wheel with its files and no tests, the command `jit`."""

import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import entry_points, packages_distributions
from pathlib import Path, PurePosixPath
from zipfile import ZipFile

import pytest

ROOT = Path(__file__).parents[2]
DISTRIBUTION = "jit-sourcing"
TOP_LEVEL = ("agents", "app", "commands", "erp", "evals", "graph", "policies", "store", "terminal", "tools", "web")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ZipFile]:
    """A wheel built from a copy of the sources by the build backend itself, without a network."""
    place = tmp_path_factory.mktemp("wheel")
    copy = place / "source"
    copy.mkdir()
    for name in ("pyproject.toml", "README.md", "LICENSE", "app.py"):
        shutil.copy(ROOT / name, copy)
    for name in (*(name for name in TOP_LEVEL if name != "app"), "tests"):
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    with ZipFile(place / _build(copy, place)) as opened:
        yield opened


def _build(source: Path, target: Path) -> str:
    """Name of the wheel. A process of its own, since the backend works in the current folder."""
    backend = PROJECT["build-system"]["build-backend"]
    command = f"import {backend} as backend; print(backend.build_wheel({str(target)!r}))"
    built = subprocess.run([sys.executable, "-c", command], cwd=source, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stderr
    return built.stdout.splitlines()[-1]


def test_no_other_distribution_owns_a_top_level_name_of_ours() -> None:
    owners = packages_distributions()
    for name in TOP_LEVEL:
        others = {owner for owner in owners.get(name, []) if owner != DISTRIBUTION}
        assert others == set(), f"{name} is also installed by {others}"
    assert {name for name, owned_by in owners.items() if DISTRIBUTION in owned_by and name.isidentifier()} <= {
        *TOP_LEVEL,
        "__editable___jit_sourcing_0_1_0_finder",
    }


def test_jit_is_the_console_script_of_the_distribution() -> None:
    (script,) = entry_points(group="console_scripts", name="jit")
    assert script.dist is not None
    assert script.dist.name == DISTRIBUTION
    assert callable(script.load())


def test_the_wheel_holds_every_module_and_every_data_file(wheel: ZipFile) -> None:
    held = set(wheel.namelist())
    sources = {
        path.relative_to(ROOT).as_posix()
        for name in TOP_LEVEL
        if name != "app"
        for path in (ROOT / name).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert sources - held == set()
    assert "app.py" in held
    kinds = {PurePosixPath(name).suffix for name in held}
    assert {".md", ".yaml", ".sql", ".css"} <= kinds
    for name in ("agents/prompts/planner.md", "policies/rules/default.yaml", "evals/worlds/calibration.yaml"):
        assert name in held


def test_the_wheel_holds_no_tests_and_nothing_else_at_its_root(wheel: ZipFile) -> None:
    roots = {PurePosixPath(name).parts[0] for name in wheel.namelist()}
    assert {root for root in roots if not root.endswith(".dist-info")} == {*TOP_LEVEL[:1], "app.py", *TOP_LEVEL[2:]}
    assert not [name for name in wheel.namelist() if PurePosixPath(name).name.startswith(("test_", "conftest"))]


def test_the_wheel_names_the_command_the_licence_and_its_requirements(wheel: ZipFile) -> None:
    (info,) = {PurePosixPath(name).parts[0] for name in wheel.namelist() if ".dist-info" in name}
    assert "jit = app:main" in wheel.read(f"{info}/entry_points.txt").decode()
    assert f"{info}/licenses/LICENSE" in wheel.namelist()
    metadata = wheel.read(f"{info}/METADATA").decode()
    for requirement in ("langgraph", "langchain", "openai", "pydantic", "networkx", "scipy", "duckdb", "langsmith"):
        assert f"Requires-Dist: {requirement}<" in metadata or f"Requires-Dist: {requirement}>" in metadata
