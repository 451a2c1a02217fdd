"""Where the real calibration data lies beside a checkout; tests that need it skip when it is absent."""

import os
from pathlib import Path

import pytest


def shared_data(name: str) -> Path:
    """Path of a folder of real data, or skip the test."""
    root = Path(os.environ.get("JIT_SHARED_DATA", Path(__file__).parents[4] / "shared" / "data"))
    if not (root / name).is_dir():
        pytest.skip(f"real data folder {name} is not beside this checkout")
    return root / name
