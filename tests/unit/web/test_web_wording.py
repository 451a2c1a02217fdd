"""Figures as people read them, and charts that say what the outlook says."""

import pytest

from graph.views.plans import OptionView, OutlookView
from web.pages.tabs.risks_tab import days, node_words
from web.pages.widgets.charts import options_chart, stock_chart
from web.pages.widgets.wording import money, percent, plain, quantity, seconds, short, source_words, when, words


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        (money(6690.4, "EUR"), "6,690 EUR"),
        (money(4.2), "4.20"),
        (money(-1234.6, "USD"), "-1,235 USD"),
        (quantity(1100.0, "each"), "1,100 each"),
        (quantity(0.125), "0.125"),
        (percent(0.962), "96.2%"),
        (percent(1.0), "100%"),
        (percent(0.0), "0%"),
        (seconds(0.0123), "12 ms"),
        (seconds(2.345), "2.3 s"),
        (short("abcdef0123456789"), "abcdef0123"),
        (words("reorder_point"), "Reorder point"),
        (when("2026-06-30T08:05:00+00:00"), "30 Jun 08:05 UTC"),
        (when(None), ""),
        (source_words("line:I005|S05|ocean|DC1#0"), "Order line I005 · S05"),
        (source_words("outlook:I005"), "Outlook I005"),
        (source_words("risk:S05:I005"), "Risk S05"),
        (source_words("verdict:order_value:I005"), "Gate order value"),
        (source_words("run-1"), "run-1"),
        (node_words("country:DE", {}), "Country DE"),
        (node_words("S05", {"S05": "Elm"}), "S05 Elm"),
        (days(1.2), "1 day"),
        (plain({"state": "ok", "lag": 2.0, "open": False}), "state ok · lag 2 · open no"),
        (plain(["a", None]), "a, "),
    ],
)
def test_figures_are_shown_as_people_write_them(shown: str, expected: str) -> None:
    assert shown == expected


@pytest.fixture
def outlook() -> OutlookView:
    return OutlookView(
        item_id="I-1",
        item="Seal",
        on_hand=10,
        inventory_position=12,
        reorder_point=8,
        safety_stock=3,
        days_of_cover=5,
        stockout_probability=0.1,
        fill_rate=0.9,
        reason="",
        history_dates=("d1", "d2"),
        history=(4.0, 6.0),
        dates=("d3", "d4", "d5"),
        demand_p10=(1.0, 2.0, 3.0),
        demand_p50=(4.0, 5.0, 6.0),
        demand_p90=(8.0, 9.0, 11.0),
        stock_p10=(-2.0, -4.0, -6.0),
        stock_p50=(5.0, 0.0, -1.0),
        stock_p90=(7.0, 6.0, 2.0),
    )


def test_the_stock_fan_adds_up_below_zero_and_shows_its_levels(outlook: OutlookView) -> None:
    base, band, median = stock_chart(outlook)["series"]
    assert [low + width for low, width in zip(base["data"], band["data"], strict=True)] == list(outlook.stock_p90)
    assert base["stackStrategy"] == band["stackStrategy"] == "all"
    assert [(level["name"], level["yAxis"]) for level in median["markLine"]["data"]] == [
        ("Reorder point", 8),
        ("Safety stock", 3),
    ]


def option(group: str, title: str, cost: float, fill: float, *, chosen: bool = False) -> OptionView:
    return OptionView(
        option_id=f"{group}/{title}",
        group=group,
        title=title,
        order_value=cost,
        expected_cost=cost,
        fill_rate=fill,
        stockout_probability=0.1,
        risk_exposure=0.0,
        suppliers=(),
        chosen=chosen,
    )


def test_the_trade_off_chart_measures_cost_above_the_cheapest_of_the_group() -> None:
    options = (option("A", "lean", 100, 0.9), option("A", "safe", 130, 0.99, chosen=True), option("B", "lean", 7, 0.8))
    first, second = options_chart(options, "USD")["series"]
    assert [point["value"] for point in first["data"]] == [[0, 90.0], [30, 99.0]]
    assert [point["value"] for point in second["data"]] == [[0, 80.0]]
    assert first["data"][1]["symbolSize"] > first["data"][0]["symbolSize"]
