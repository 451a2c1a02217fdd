"""Sentences of order lines for every kind of facts: what is unknown is left out, and nothing is said twice."""

from dataclasses import replace
from datetime import date

import pytest

from tools.domain.orders import Intent
from tools.wording import LineFacts, Stage, StockFacts, told_of_line, told_of_stock
from tools.wording.figures import about, exactly, of_units, on_day, rounded, share

LINE = LineFacts(
    Intent.PLACE,
    1280.0,
    "pack",
    "S15",
    "Nutmeg Trading",
    "USD",
    date(2026, 6, 28),
    date(2026, 7, 14),
    days_of_cover=9.2,
    cost_of_waiting=4478.4,
)


def test_the_sentence_that_a_buyer_signs_on() -> None:
    assert told_of_line(LINE).sentence == (
        "Order 1,280 packs from Nutmeg Trading (S15) now: cover is 9 days, a delivery takes 16, and without it you"
        " run out around 7 July, at about 4,500 USD."
    )


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"days_of_cover": None, "cost_of_waiting": None}, "Order 1,280 packs from Nutmeg Trading (S15) now."),
        ({"days_of_cover": None}, "now: waiting would cost about 4,500 USD."),
        ({"cost_of_waiting": -3.0}, "and without it you run out around 7 July."),
        ({"days_of_cover": 0.0}, "nothing is in stock or on its way, a delivery takes 16 days, and without it you run"),
        ({"days_of_cover": 40.0}, "cover is 40 days with all that is on order, a delivery takes 16, and waiting would"),
        ({"days_of_cover": 40.0, "cost_of_waiting": 0.0}, "with all that is on order and a delivery takes 16."),
        ({"supplier": "S15"}, "packs from S15 now"),
        ({"quantity": 1.0}, "Order 1 pack from"),
        ({"intent": Intent.EXPEDITE}, "Order 1,280 packs by express from"),
        ({"intent": Intent.SWITCH_SUPPLIER}, "from Nutmeg Trading (S15) instead now"),
        ({"intent": Intent.CANCEL}, "Cancel the open order of 1,280 packs from Nutmeg Trading (S15)."),
        ({"intent": Intent.HOLD}, "Hold the open order of 1,280 packs"),
        ({"intent": Intent.MOVE_DATE}, "Move the open order of 1,280 packs"),
        ({"intent": Intent.ADJUST_QUANTITY}, "Change the open order to 1,280 packs"),
        (
            {"stage": Stage.PLACED},
            "Ordered 1,280 packs from Nutmeg Trading (S15) on 28 June: cover was 9 days, a delivery takes 16, and"
            " without it you would run out around 7 July, at about 4,500 USD.",
        ),
        ({"stage": Stage.PLACED, "days_of_cover": 40.0}, "and waiting would have cost about 4,500 USD."),
        ({"stage": Stage.LEFT}, "Not ordered are 1,280 packs from Nutmeg Trading (S15): cover is 9 days"),
        ({"stage": Stage.PLACED, "intent": Intent.CANCEL}, "Cancelled the open order of 1,280 packs from"),
        ({"kept": "Rejected by bo on 1 July."}, "Rejected by bo on 1 July."),
    ],
)
def test_what_is_unknown_is_left_out(changed: dict[str, object], expected: str) -> None:
    assert expected in told_of_line(replace(LINE, **changed)).sentence  # type: ignore[arg-type]


def test_reasons_are_need_the_next_best_and_the_size_at_most_three() -> None:
    known = replace(
        LINE, expected_need=612.0, in_reach=624.0, reserve=1651.0, cost_of_next_best=7293.0, before_rounding=1203.0
    )
    assert told_of_line(known).reasons == (
        "About 610 packs will be used before a later order could arrive; 620 are in stock or arrive by then."
        " About 1,700 more are kept for busy weeks and late deliveries.",
        "The next best way to buy it would cost about 7,300 USD more.",
        "About 1,200 would do; pack sizes and order limits make it 1,280.",
    )
    limited = told_of_line(replace(known, limited=True)).reasons
    assert limited[2] == "A limit that it shares with other orders holds its size."
    assert (
        told_of_line(replace(known, in_reach=-40.0, reserve=0.0))
        .reasons[0]
        .endswith("; 0 are in stock or arrive by then.")
    )
    assert told_of_line(replace(LINE, cost_of_next_best=0.2)).reasons == ()


def test_a_change_of_an_open_order_says_how_often_it_is_needed() -> None:
    change = replace(LINE, intent=Intent.CANCEL, share_that_needs_it=0.021)
    assert told_of_line(change).reasons == ("In 2 of 100 cases stock would run short without it.",)


@pytest.mark.parametrize(
    ("value", "told"),
    [(4478.4, "4,500"), (0.0, "0"), (0.374, "0.37"), (9.96, "10"), (1.04, "1"), (3.24, "3.2"), (-1251.0, "-1,300")],
)
def test_estimates_have_two_digits(value: float, told: str) -> None:
    assert about(value) == told
    assert rounded(rounded(value)) == rounded(value)


def test_figures_as_people_say_them() -> None:
    assert [exactly(q) for q in (1280.0, 2.5, 0.125)] == ["1,280", "2.5", "0.125"]
    assert [of_units("2", uom, 2) for uom in ("box", "kg", "EA", "pack", "pcs", "")] == [
        "2 boxes",
        "2 kg",
        "2 EA",
        "2 packs",
        "2 pcs",
        "2",
    ]
    assert on_day(date(2027, 7, 7), date(2026, 6, 28)) == "7 July 2027"
    assert [share(p) for p in (0.0, 0.001, 0.034, 0.999, 1.0)] == ["0 %", "under 1 %", "3 %", "over 99 %", "100 %"]


def test_an_item_without_use_has_stock_for_years() -> None:
    assert told_of_stock(StockFacts(99_999.0, 1.0, 0.0)).sentence.startswith("There is stock for years;")
    told = told_of_stock(StockFacts(1.2, 0.864, 0.4))
    assert told.sentence == (
        "Stock and orders on their way cover 1 day; with this plan 86 % of what is asked for is met from stock."
    )
    assert told.reasons == ("The chance of running out before a later order could help is 40 %.",)
