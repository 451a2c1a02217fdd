"""The operations database gives back what was freed, and only when that is most of the file."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from store import upkeep
from store.operations import Operations


@pytest.fixture
def operations(tmp_path: Path) -> Iterator[Operations]:
    with closing(Operations(f"sqlite:///{tmp_path}/o.sqlite")) as opened:
        yield opened


def _filled(operations: Operations, messages: int) -> None:
    for _ in range(messages):
        operations.add_message("main", "user", "x" * 100_000)


def _drop_messages(operations: Operations, above: int) -> None:
    operations._change("DELETE FROM messages WHERE id > :above", {"above": above})


def test_a_file_that_is_mostly_free_shrinks_and_keeps_its_rows(
    operations: Operations, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upkeep, "LEAST_RECLAIMED_BYTES", 1_000_000)
    _filled(operations, 40)
    _drop_messages(operations, above=5)
    assert operations.reclaim() is True
    assert (tmp_path / "o.sqlite").stat().st_size < 1_000_000
    assert len(operations.messages()) == 5
    assert operations.reclaim() is False


def test_free_space_that_the_next_runs_will_use_is_left(
    operations: Operations, monkeypatch: pytest.MonkeyPatch
) -> None:
    _filled(operations, 40)
    _drop_messages(operations, above=5)
    assert operations.reclaim() is False
    monkeypatch.setattr(upkeep, "LEAST_RECLAIMED_BYTES", 1_000_000)
    _filled(operations, 20)
    assert operations.reclaim() is False
