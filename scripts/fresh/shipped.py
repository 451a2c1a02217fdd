"""Builds the wheel, installs it into an empty environment in another folder, and runs `jit demo` there."""

import sys
from pathlib import Path

from running import Runner, say, surroundings


def install_wheel(runner: Runner, clone: Path, folder: Path) -> None:
    """The wheel of the clone, not its folder: the clone is out of the way while it runs."""
    runner.run(["make", "build"], clone)
    wheels = sorted((clone / "dist").glob("*.whl"))
    if len(wheels) != 1:
        raise runner.failure("make build", None, f"made {[wheel.name for wheel in wheels]}")
    elsewhere = folder / "elsewhere"
    elsewhere.mkdir()
    uv, python = str(clone / ".venv/bin/uv"), str(elsewhere / "venv/bin/python")
    lock = ["--require-hashes", "-r", str(clone / "requirements.lock")]
    for command in (
        [uv, "venv", "--quiet", "--python", sys.executable, "venv"],
        [uv, "pip", "install", "--quiet", "--compile-bytecode", *lock, "--python", python],
        [uv, "pip", "install", "--quiet", "--no-deps", str(wheels[0]), "--python", python],
    ):
        runner.run(command, elsewhere, quiet=True)
    home = surroundings(JIT_HOME=str(elsewhere / "home"))
    runner.run([str(elsewhere / "venv/bin/jit"), "demo"], elsewhere, environment=home)
    say(f"   {wheels[0].name}: {wheels[0].stat().st_size / 1024:.0f} KB")
