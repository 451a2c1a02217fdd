"""When set-up cannot go on, its last line says what to do."""

import os
import shutil
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

SCRIPT = Path(__file__).parents[2] / "scripts" / "set-up.sh"
NOBODY = ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups"]


def last_line(folder: Path, *arguments: str, **more: str) -> str:
    """What a step that fails says at the end."""
    command = ["sh", str(SCRIPT), *arguments]
    environment = {**os.environ, **more}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 2, done.stdout + done.stderr
    assert done.stdout == ""
    assert "set-up.sh" not in done.stderr, "the shell itself failed"
    return done.stderr.splitlines()[-1]


def program(file: Path, body: str) -> str:
    """A program of another version or with another fate than those that are installed."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(f"#!/bin/sh\n{body}\n", encoding="utf-8")
    file.chmod(file.stat().st_mode | stat.S_IXUSR)
    return str(file)


@pytest.mark.parametrize(("version", "shown"), [("3 9", "3.9"), ("3 10", "3.10"), ("3 13", "3.13"), ("4 0", "4.0")])
def test_a_python_that_is_too_old_or_too_new_is_told_with_the_versions_that_do(
    tmp_path: Path, version: str, shown: str
) -> None:
    python = program(tmp_path / "python", f"echo {version}")
    told = last_line(tmp_path, "environment", python, ".venv", "1")
    assert f"is Python {shown}, and 3.11 or 3.12 is needed" in told
    assert "make setup PYTHON=" in told


def test_a_python_that_is_missing_is_told_with_the_package_that_brings_it(tmp_path: Path) -> None:
    told = last_line(tmp_path, "environment", "python3.99", ".venv", "1")
    assert "there is no python3.99" in told
    assert "apt-get install python3.11-venv" in told


def test_a_python_without_venv_is_told_with_the_package_that_brings_it(tmp_path: Path) -> None:
    lacks = 'case "$1" in -c) echo 3 11 ;; *) echo "ensurepip is not available"; exit 1 ;; esac'
    told = last_line(tmp_path, "environment", program(tmp_path / "python3.11", lacks), ".venv", "1")
    assert "has no module venv" in told
    assert "apt-get install python3.11-venv" in told


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A real file system of 8 MB."""
    place = tmp_path / "small"
    place.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", place], capture_output=True, check=False
    )
    if mounted.returncode != 0:
        pytest.skip("no file system can be mounted here")
    try:
        yield place
    finally:
        subprocess.run(["umount", "--lazy", place], check=True)


def test_a_disk_with_too_little_room_is_told_before_anything_is_written(small_disk: Path) -> None:
    told = last_line(small_disk, "environment", sys.executable, ".venv", "1")
    assert "has 8 MB left, and 1500 MB are needed" in told
    assert list(small_disk.iterdir()) == []


def test_a_disk_that_fills_up_on_the_way_is_told(small_disk: Path, tmp_path: Path) -> None:
    uv = small_disk / ".venv" / "bin" / "uv"
    program(uv, f"exec dd if=/dev/zero of={small_disk}/wheel bs=1M count=20")
    told = last_line(small_disk, "install", ".venv", "anything", TMPDIR=str(tmp_path))
    assert "the disk is full" in told
    assert "has 0 MB" in told
    assert "run make again" in told


def test_no_room_for_a_temporary_file_is_told(small_disk: Path) -> None:
    with pytest.raises(OSError, match="No space left"):
        for number in range(100_000):
            (small_disk / f"{number}").write_bytes(bytes(4096))
    told = last_line(small_disk, "install", ".venv", "anything", TMPDIR=str(small_disk))
    assert "full" in told
    assert "TMPDIR" in told


@pytest.mark.skipif(os.geteuid() != 0, reason="root alone can become somebody else")
def test_a_folder_of_somebody_else_is_told() -> None:
    with TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        shutil.copy(SCRIPT, folder)
        python = program(folder / "python3.11", "echo 3 11")
        Path(python).chmod(0o755)
        command = ["sh", str(folder / SCRIPT.name), "environment", python, ".venv", "1"]
        done = subprocess.run([*NOBODY, *command], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert f"nobody may not write {folder}" in done.stderr.splitlines()[-1]
