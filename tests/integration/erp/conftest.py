"""Fixtures of these tests."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from integration.erp.outbox_wire import Clock, Wire
from sandbox_world import LEAD_TIMES, small_dataset

from erp.sandbox import SandboxErp
from store.operations import Operations


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def operations(tmp_path: Path, clock: Clock) -> Iterator[Operations]:
    with Operations(f"sqlite:///{tmp_path / 'operations.sqlite'}", clock=clock) as opened:
        yield opened


@pytest.fixture
def erp(tmp_path: Path) -> Iterator[SandboxErp]:
    sandbox = SandboxErp(tmp_path / "erp.sqlite")
    sandbox.seed_from(small_dataset(), LEAD_TIMES)
    yield sandbox
    sandbox.close()


@pytest.fixture
def wire(erp: SandboxErp) -> Wire:
    return Wire(erp)
