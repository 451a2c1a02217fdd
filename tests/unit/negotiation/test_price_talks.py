from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.negotiation import (
    Accept,
    Counter,
    NegotiationState,
    PriceLimits,
    SimulatedSupplier,
    Tactic,
    Walk,
    asking_price,
    price_limits,
    prospects,
    respond,
    seeded_supplier,
    talk,
)

PRICES = st.floats(0.01, 1e5)
TACTICS = st.sampled_from(list(Tactic))
ROUNDS = st.integers(1, 12)


def state(number: int, theirs: float | None = None, **changes) -> NegotiationState:
    return NegotiationState(target=8.0, reservation=10.0, round=number, max_rounds=5, their_price=theirs, **changes)


@pytest.mark.parametrize(
    ("tactic", "third_ask"),
    [(Tactic.BOULWARE, 8 + 2 * 0.5**4), (Tactic.LINEAR, 9.0), (Tactic.CONCEDER, 8 + 2 * 0.5 ** (1 / 3))],
)
def test_the_ask_half_way_follows_the_polynomial_of_its_tactic(tactic: Tactic, third_ask: float):
    assert asking_price(state(3, tactic=tactic)) == pytest.approx(third_ask)


@pytest.mark.parametrize("tactic", list(Tactic))
def test_every_tactic_opens_at_the_target_and_ends_at_the_reservation(tactic: Tactic):
    assert asking_price(state(1, tactic=tactic)) == pytest.approx(8.0)
    assert asking_price(state(5, tactic=tactic)) == pytest.approx(10.0)


def test_a_price_no_worse_than_the_next_ask_is_accepted_and_a_worse_one_is_countered():
    assert respond(state(3, 9.0, tactic=Tactic.LINEAR)) == Accept(9.0)
    assert respond(state(3, 9.01, tactic=Tactic.LINEAR)) == Counter(9.0)


def test_after_the_last_round_the_reservation_decides_between_a_deal_and_walking():
    assert respond(state(6, 10.0)) == Accept(10.0)
    assert respond(state(6, 10.01)) == Walk()


def test_tit_for_tat_gives_more_to_a_supplier_that_gave_more():
    stubborn = state(2, 12.0, tactic=Tactic.TIT_FOR_TAT, our_prices=(8.0, 8.0), their_prices=(12.0, 12.0))
    yielding = state(2, 11.0, tactic=Tactic.TIT_FOR_TAT, our_prices=(8.0, 8.0), their_prices=(12.0, 11.0))
    assert asking_price(yielding) > asking_price(stubborn)
    timed = 8 + 2 * 0.25**4
    assert asking_price(yielding) == pytest.approx(0.5 * timed + 0.5 * 8 * 12 / 11)


@given(low=PRICES, high=PRICES, answers=st.lists(PRICES, max_size=14), tactic=TACTICS, rounds=ROUNDS)
def test_no_ask_and_no_deal_is_ever_beyond_the_reservation(low, high, answers, tactic, rounds):
    limits = PriceLimits(min(low, high), max(low, high))
    left = list(answers)
    result = talk(limits, tactic, rounds, lambda ask, number: left.pop(0) if left else None)
    assert all(limits.target <= ask <= limits.reservation for ask in result.asks)
    assert list(result.asks) == sorted(result.asks)
    assert result.unit_price is None or result.unit_price <= limits.reservation
    assert result.rounds <= rounds


@given(listed=PRICES, rival=st.none() | st.floats(-10, 1e5))
def test_limits_lie_in_order_below_the_list_price_and_the_next_best_source(listed, rival):
    limits = price_limits(listed, rival)
    assert 0 <= limits.target <= limits.reservation <= listed
    assert rival is None or limits.reservation <= max(0.0, rival)


@given(floor=st.floats(0.6, 1.0), tactic=TACTICS)
def test_a_simulated_supplier_never_sells_below_its_floor(floor: float, tactic: Tactic):
    other = SimulatedSupplier({"l": 10.0}, floor)
    result = talk(PriceLimits(8.0, 10.0), tactic, 5, partial(other.reply, "l"))
    assert result.unit_price is None or result.unit_price >= 10 * floor - 1e-9


def test_a_simulated_supplier_walks_from_an_insult_and_from_lines_that_it_does_not_sell():
    other = SimulatedSupplier({"l": 10.0}, 0.9)
    assert other.reply("l", 4.9, 1) is None
    assert other.reply("other", 9.9, 1) is None


def test_a_seeded_supplier_is_the_same_each_time_and_differs_from_its_neighbours():
    floors = {key: seeded_supplier(key, {"l": 1.0}, 7).floor_fraction for key in ("S01", "S02", "S03")}
    assert floors == {key: seeded_supplier(key, {"l": 1.0}, 7).floor_fraction for key in floors}
    assert len(set(floors.values())) == 3
    assert seeded_supplier("S01", {"l": 1.0}, 8).floor_fraction != floors["S01"]


def test_holding_out_promises_a_lower_price_than_giving_way():
    found = {known.tactic: known for known in prospects(PriceLimits(9.2, 10.0), 10.0, 5)}
    assert found[Tactic.BOULWARE].expected_unit_price < found[Tactic.CONCEDER].expected_unit_price
    assert found[Tactic.BOULWARE].expected_rounds >= found[Tactic.CONCEDER].expected_rounds
    assert all(0 <= known.deal_probability <= 1 for known in found.values())
    assert all(9.0 <= known.expected_unit_price <= 10.0 for known in found.values())


def test_prospects_come_cheapest_first():
    prices = [known.expected_unit_price for known in prospects(PriceLimits(9.2, 10.0), 10.0, 5)]
    assert prices == sorted(prices)


@given(scale=st.floats(0.01, 1e4))
def test_prospects_scale_with_the_price(scale: float):
    plain = prospects(PriceLimits(9.2, 10.0), 10.0, 5)
    scaled = prospects(PriceLimits(9.2 * scale, 10.0 * scale), 10.0 * scale, 5)
    assert [known.tactic for known in scaled] == [known.tactic for known in plain]
    assert [known.expected_unit_price for known in scaled] == pytest.approx(
        [known.expected_unit_price * scale for known in plain]
    )


def test_a_talk_ends_with_the_first_ask_that_is_accepted_and_without_a_deal_when_the_other_side_walks():
    at_once = talk(PriceLimits(8.0, 10.0), Tactic.LINEAR, 5, lambda ask, number: ask)
    assert (at_once.unit_price, at_once.rounds) == (8.0, 1)
    walked = talk(PriceLimits(8.0, 10.0), Tactic.LINEAR, 5, lambda ask, number: None if number == 3 else 11.0)
    assert (walked.unit_price, walked.rounds) == (None, 3)
