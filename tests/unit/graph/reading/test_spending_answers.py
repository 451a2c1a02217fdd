"""What the chat says is spent is what the plan says it orders."""

from datetime import UTC, datetime

import pytest
from agent_briefs import asked
from plan_views import line_view

from agents.contracts import AnalystBrief
from agents.rules import RuleAnalyst
from graph.reading.answers import facts_of
from graph.views.orders import LineView
from graph.views.plans import PlanView
from graph.views.runs import RunStatus, RunView, Trigger, TriggerKind


def spending(*lines: LineView) -> str:
    run = RunView(
        run_id="run-1",
        status=RunStatus.WAITING,
        trigger=Trigger(kind=TriggerKind.CLI, actor="ana"),
        dataset_version="ds-1",
        started_at=datetime(2026, 6, 30, tzinfo=UTC),
        currency="USD",
    )
    view = PlanView(run=run, lines=lines)
    return RuleAnalyst().answer(asked("How much do we spend?"), AnalystBrief(facts=facts_of(view, []))).text


@pytest.mark.parametrize("intent", ["cancel", "hold", "move_date", "adjust_quantity"])
def test_a_change_of_an_open_order_is_no_spending(intent: str) -> None:
    assert spending(line_view("I1"), line_view("I2", intent=intent)).startswith("1 order line worth 250 USD")


@pytest.mark.parametrize("intent", ["place", "expedite"])
def test_whatever_orders_something_is_spending(intent: str) -> None:
    assert spending(line_view("I1"), line_view("I2", intent=intent)).startswith("2 order lines worth 500 USD")
