"""Kernels: declared where they are listed, compiled for one set of types, and kept where they can be found."""

import logging
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tools import kernel_cache, kernels
from tools.compile_ahead import usual_kernels
from tools.kernels import MODULES, _prepared, kernel, watching

ROOT = Path(__file__).parents[2]


def test_every_module_that_declares_a_kernel_is_part_of_the_key() -> None:
    declaring = {
        ".".join(path.relative_to(ROOT).with_suffix("").parts)
        for path in (ROOT / "tools").rglob("*.py")
        if re.search(r"^@kernel\(", path.read_text(encoding="utf-8"), re.MULTILINE)
    }
    assert declaring == set(MODULES)


def test_importing_every_kernel_loads_no_compiler() -> None:
    imports = "".join(f"import {name}\n" for name in MODULES)
    subprocess.run(
        [sys.executable, "-c", f"{imports}import sys\nassert 'numba' not in sys.modules"], check=True, cwd=ROOT
    )


def test_the_kernels_of_a_plan_can_be_compiled_ahead() -> None:
    assert {"play_paths", "smooth_rows", "scan_changes", "fill_costs"} <= {name for _, name in usual_kernels()}


def test_a_change_of_a_source_changes_the_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))
    before = kernel_cache.kernel_folder(MODULES)
    assert before == kernel_cache.kernel_folder(MODULES)
    assert before != kernel_cache.kernel_folder(MODULES[1:])


def test_a_user_who_may_not_write_beside_the_installation_begins_with_a_copy(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    name = kernel_cache.kernel_folder(MODULES)
    assert name is not None
    shared, own = tmp_path / "shared", tmp_path / "own"
    (shared / name.name / "ordering").mkdir(parents=True)
    (shared / name.name / "ordering" / "one.nbi").write_bytes(b"code")
    monkeypatch.setattr(kernel_cache, "installed_place", lambda: shared)
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(own))
    found = kernel_cache.kernel_folder(MODULES)
    assert found == own / name.name
    assert (own / name.name / "ordering" / "one.nbi").read_bytes() == b"code"


def test_without_a_place_a_kernel_runs_and_one_line_says_what_to_do(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("no folder", encoding="utf-8")
    text = (
        "import numpy as np\nfrom tools.ordering.problem.validation import first_fault\n"
        "print(first_fault(np.array([0.0, -1.0])))"
    )
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(file), "XDG_CACHE_HOME": str(file), "PYTHONPATH": str(ROOT)}
    hidden = "import pathlib\nimport tools.kernel_cache as cache\n"
    hidden += f"cache.installed_place = lambda: pathlib.Path({str(file)!r})\n"
    ended = subprocess.run(
        [sys.executable, "-c", hidden + text], env=environment, capture_output=True, text=True, check=True
    )
    assert ended.stdout.strip() == "1"
    assert len(ended.stderr.splitlines()) == 1
    assert "NUMBA_CACHE_DIR" in ended.stderr


def test_who_watches_is_told_of_each_kernel_before_it_is_compiled(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    _prepared()
    monkeypatch.setattr("numba.core.config.CACHE_DIR", str(tmp_path))

    @kernel()
    def doubled(values: object) -> float:
        total = 0.0
        for value in values:  # type: ignore[attr-defined]
            total += 2.0 * value
        return total

    told: list[tuple[str, int, int]] = []
    with watching(lambda name, place, of: told.append((name, place, of))):
        assert doubled(np.array([1.0, 2.0])) == 6.0
        assert doubled(np.array([1.0])) == 2.0
    assert [name for name, _, _ in told] == ["doubled"]
    assert all(place <= of for _, place, of in told)
    doubled(np.array([1, 2]))
    assert len(told) == 1


def test_code_that_cannot_be_kept_is_run_all_the_same(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    kernels._tell_not_kept.cache_clear()

    @kernel()
    def halved(value: float) -> float:
        return value / 2.0

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(halved.machine._cache, "save_overload", full)
    with caplog.at_level(logging.WARNING):
        assert halved(3.0) == 1.5
        assert halved(np.float32(3.0)) == 1.5
    assert len({record.getMessage() for record in caplog.records}) == 1
    kernels._tell_not_kept.cache_clear()
