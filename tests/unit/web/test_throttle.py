"""The brake on wrong sign-in links: who waits, for how long, and who never does."""

from dataclasses import dataclass

import pytest

from web import throttle
from web.throttle import Throttle


@dataclass
class Clock:
    """Seconds that pass when a test says so."""

    now: float = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def braked(clock: Clock, per_address: int = 3, overall: int = 10) -> Throttle:
    return Throttle(per_address, overall, 60.0, clock)


def test_an_address_waits_after_its_last_try_and_only_until_its_window_ends(clock: Clock) -> None:
    brake = braked(clock)
    for tried in range(3):
        assert brake.wait_seconds("10.0.0.1") == 0.0, tried
        brake.count_wrong("10.0.0.1")
        clock.now += 10
    assert brake.wait_seconds("10.0.0.1") == 30.0
    assert brake.wait_seconds("10.0.0.2") == 0.0
    clock.now += 29
    assert brake.wait_seconds("10.0.0.1") == 1.0
    clock.now += 1
    assert brake.wait_seconds("10.0.0.1") == 0.0


def test_many_strangers_wait_for_one_another_but_not_who_did_nothing_wrong(clock: Clock) -> None:
    brake = braked(clock)
    for number in range(10):
        brake.count_wrong(f"10.0.0.{number}")
    assert brake.wait_seconds("10.0.0.0") == 60.0
    assert brake.wait_seconds("10.0.1.1") == 0.0
    clock.now += 60
    assert brake.wait_seconds("10.0.0.0") == 0.0


def test_a_siege_without_end_never_keeps_a_user_out_for_more_than_a_window(clock: Clock) -> None:
    brake = braked(clock)
    for second in range(600):
        clock.now += 1
        for number in range(5):
            if not brake.wait_seconds(f"10.0.0.{number}"):
                brake.count_wrong(f"10.0.0.{number}")
        assert brake.wait_seconds("192.0.2.7") == 0.0, second
    brake.count_wrong("192.0.2.7")
    assert brake.wait_seconds("192.0.2.7") <= 60.0
    clock.now += 60
    assert brake.wait_seconds("192.0.2.7") == 0.0


def test_a_customers_whole_ipv6_network_is_one_address(clock: Clock) -> None:
    brake = braked(clock)
    for number in range(3):
        brake.count_wrong(f"2001:db8:1:2::{number:x}")
    assert brake.wait_seconds("2001:db8:1:2:ffff::1") > 0.0
    assert brake.wait_seconds("2001:db8:1:3::1") == 0.0
    for number in range(3):
        brake.count_wrong(f"::ffff:10.0.0.{number}")
    assert brake.wait_seconds("::ffff:10.0.0.9") == 0.0


def test_memory_is_bounded_whoever_comes(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(throttle, "ADDRESSES_KEPT", 100)
    brake = Throttle(3, 10**9, 60.0, clock)
    for number in range(5_000):
        brake.count_wrong(f"host-{number}")
    assert len(vars(brake)["_of"]) == 100
