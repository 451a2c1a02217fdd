"""Lead times in letters: the table of suppliers, curves of arrival, and open orders."""

import pytest
from integration.web.web_lead_times import open_order_of, view_of
from integration.web.web_stock import ITEMS

from terminal.lead_times import axis, curve_letters, show_lead_times, signed


def test_curves_rise_and_mark_the_day_quoted() -> None:
    letters = curve_letters([0.0, 0.1, 0.4, 0.8, 1.0], [0, 10, 20, 30, 40], 15)
    assert letters == [" ", "▁", "│", "▇", "█"]
    assert "│" not in curve_letters([0.0, 1.0], [0, 10], None)
    assert "│" not in curve_letters([0.0, 1.0], [0, 10], 99)


def test_the_axis_has_a_letter_per_day_and_ends_with_the_last() -> None:
    days = list(range(0, 310, 5))
    assert len(axis(days)) == len(days)
    assert axis(days).startswith("0 ") and axis(days).endswith(" 305")


@pytest.mark.parametrize(("value", "said"), [(0.387, "+39 %"), (-0.001, "+0 %"), (-0.25, "-25 %")])
def test_a_bias_has_its_sign_and_nothing_is_no_less(value: float, said: str) -> None:
    assert signed(value) == said


def test_suppliers_come_in_a_table_with_the_worst_first(capsys: pytest.CaptureFixture[str]) -> None:
    view = view_of()
    show_lead_times(view)
    lines = capsys.readouterr().out.splitlines()
    count = len(view.suppliers)
    assert [line.split()[0] for line in lines[1 : count + 1]] == [row.supplier_id for row in view.suppliers]
    assert f"lead-times {view.suppliers[0].supplier_id} tells more" in lines[-1]


def test_a_supplier_without_receipts_is_unproven(capsys: pytest.CaptureFixture[str]) -> None:
    show_lead_times(view_of(receipts=()))
    assert capsys.readouterr().out.count("unproven") == len({item.supplier for item in ITEMS})


def test_an_item_is_told_with_offers_curves_orders_and_its_source(capsys: pytest.CaptureFixture[str]) -> None:
    show_lead_times(view_of("I-101"))
    printed = capsys.readouterr().out
    for part in ("Offers, days from order to receipt", "Probability of arrival by day", "Open orders at 2026-06-30"):
        assert part in printed
    order = open_order_of(ITEMS[0])
    row = next(line for line in printed.splitlines() if line.startswith(order.order_id))
    assert str(order.promised_date) in row and "%" in row
    assert "est-1-00c0ffee" in printed


def test_what_is_not_there_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    show_lead_times(view_of("I-101", open_orders=()))
    assert "None." in capsys.readouterr().out


def test_a_fallback_is_told_once_with_how_many_rest_on_it(capsys: pytest.CaptureFixture[str]) -> None:
    show_lead_times(view_of("NORTHWIND", receipts=(), open_orders=()))
    printed = " ".join(capsys.readouterr().out.split())
    assert printed.count("offers: no receipt from this supplier: the quoted lead time with a typical spread") == 1
