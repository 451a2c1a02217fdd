"""What a ruling on an order says of each of its lines, and what ends it."""

from dataclasses import replace
from datetime import date

import pytest
from decided_cases import (
    after,
    decided,
    drafted,
    line,
    only_line,
)
from order_cases import order_of

from graph.decisions.rulings import decisions_on, reconsidered
from tools.domain.decisions import LineDecision, LineRuling
from tools.domain.orders import Intent


@pytest.mark.parametrize("changes", ["", "PO-1"])
def test_a_ruling_on_an_order_is_remembered_of_each_line_with_what_was_known(changes: str) -> None:
    order = order_of("A", "B", quantity=10.0, changes=changes)
    first = order.lines[0].model_copy(update={"facts": {"stockout_bp": 150}})
    order = order.changed(lines=(first, order.lines[1]))
    until = date(2026, 4, 1)
    found = decisions_on(
        order, "ap-9", LineRuling.EDIT, {"A#0": 4.0}, "bob", "less", until, [{"alert_id": "a-1"}, {"alert_id": 7}]
    )
    a_line = LineDecision(
        approval_id="ap-9",
        order_key="run-1/S1/A+B",
        line_id="A#0",
        item_id="A",
        site_id="MAIN",
        supplier_id="S1",
        ruling=LineRuling.EDIT,
        proposed_units=10.0,
        decided_units=4.0,
        list_price=2.5,
        stockout_bp=150,
        actor="bob",
        reason="less",
        changes=changes,
        alert_ids=frozenset({"a-1", "7"}),
        until=until,
    )
    assert found == [a_line, replace(a_line, line_id="B#0", item_id="B", decided_units=0.0, stockout_bp=0)]


def test_what_is_reconsidered_ends_rejections_and_edits_only() -> None:
    until = date(2026, 4, 1)
    made = [
        decided(until=until),
        decided(400.0, until=until),
        decided(ruling=LineRuling.APPROVE),
        decided(ruling=LineRuling.RECONSIDER),
    ]
    ended = {"ruling": LineRuling.RECONSIDER, "actor": "carol", "reason": "after all", "until": None}
    assert reconsidered(made, "carol", "after all") == [replace(one, **ended) for one in made[:2]]


def test_a_change_keeps_its_intent_when_it_is_held() -> None:
    cancelled = line().model_copy(update={"intent": Intent.CANCEL})
    _, held = after([decided(changes="PO-1")], drafted(cancelled, changes="PO-1"))
    assert only_line(held).intent is Intent.CANCEL
