"""How far work is, is told to whoever asked for it, and to nobody else; whoever hears it may end the work."""

import pytest

from tools.domain.progress import counted, did, expect, heard_by


def test_what_is_done_adds_up_to_what_was_expected() -> None:
    heard: list[tuple[int, int]] = []
    with heard_by(lambda done, expected: heard.append((done, expected))):
        expect(3)
        assert list(counted("abc")) == ["a", "b", "c"]
        expect(10)
        did(10)
    assert heard == [(1, 3), (2, 3), (3, 3), (13, 13)]


def test_more_than_was_expected_is_never_told() -> None:
    heard: list[tuple[int, int]] = []
    with heard_by(lambda done, expected: heard.append((done, expected))):
        did(5)
    assert heard == [(5, 5)]


def test_work_that_nobody_asked_about_is_not_heard_and_work_within_work_is_heard_by_the_nearest() -> None:
    outer: list[int] = []
    inner: list[int] = []
    with heard_by(lambda done, _: outer.append(done)):
        did(1)
        with heard_by(lambda done, _: inner.append(done)):
            did(7)
        did(1)
    did(100)
    assert (outer, inner) == ([1, 2], [7])


def test_whoever_hears_it_ends_the_work_between_two_parts() -> None:
    seen: list[str] = []

    def hear(done: int, _expected: int) -> None:
        if done == 2:
            raise KeyError(done)

    with heard_by(hear), pytest.raises(KeyError):
        for part in counted("abcd"):
            seen.append(part)
    assert seen == ["a", "b"]
