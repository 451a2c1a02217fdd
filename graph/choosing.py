"""The plan of a run: options computed, one of each group chosen, and what people decided before kept to."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from agents.contracts import OptionFigures, PlannerBrief, PlannerChoice
from graph import records
from graph.context import Context
from graph.decided_lines import NOTHING_WITHHELD, joined, with_decisions
from graph.desk import Scope
from graph.state import Json, RunState, scope_of
from policies.gates import Effect
from tools.domain.orders import Order
from tools.domain.snapshots import OrderPlan, PlanOption


@dataclass(frozen=True)
class ChosenPlan:
    """A plan, what it was computed from, and its orders as earlier decisions leave them."""

    scope: Scope
    choice: PlannerChoice
    plan: OrderPlan
    proposed: list[Order]
    held: list[Order]
    decisions: list[Json]
    """Who chose, each time that somebody did."""


def chosen_plan(state: RunState, context: Context) -> ChosenPlan:
    """The plan that the planner chooses.

    Where lines stay as a person decided, options are computed and chosen again with what they leave out counted as
    coming, until no more is left out. Each time round a line joins what is left out, or outgrows its decision for
    good, so there is an end.
    """
    base, counted = replace(scope_of(state), withheld=()), NOTHING_WITHHELD
    held, decisions = list[Order](), list[Json]()
    while True:
        scope = replace(base, withheld=counted.by_offer)
        options = (
            context.desk.options(scope) if scope == scope_of(state) else stored_options(state["run_id"], scope, context)
        )
        choice = context.agents.planner.choose(_brief(options, state, context))
        decisions.append(records.decided(choice))
        plan = context.desk.plan(scope, choice.choices)
        drafted = records.orders(plan, context.desk.dataset(scope.dataset_version), state["run_id"])
        decided = with_decisions(drafted, plan, scope, context, counted)
        held = joined(held, decided.held)
        if decided.withheld == counted:
            return ChosenPlan(scope, choice, plan, decided.proposed, held, decisions)
        outgrown = decided.withheld.grown != counted.grown
        counted, held = (decided.afresh, []) if outgrown else (decided.withheld, held)


def stored_options(run_id: str, scope: Scope, context: Context) -> tuple[PlanOption, ...]:
    """The options of a scope, stored in place of those that the run had before."""
    options = context.desk.options(scope)
    rows = {option.option_id: records.option(option) for option in options}
    context.warehouse.put_artifacts(run_id, "option", rows, alone=True)
    return options


def _brief(options: Sequence[PlanOption], state: RunState, context: Context) -> PlannerBrief:
    return PlannerBrief(
        currency=context.desk.dataset(state["dataset_version"]).currency,
        options=tuple(_figures(option) for option in options),
        feedback=tuple(
            str(verdict["reason"])
            for verdict in state.get("line_verdicts", [])
            if verdict["effect"] == Effect.DENY.value
        ),
    )


def _figures(option: PlanOption) -> OptionFigures:
    return OptionFigures(
        option_id=option.option_id,
        group=option.group,
        title=option.title,
        order_value=option.order_value,
        expected_cost=option.cost.total,
        fill_rate=option.fill_rate,
        stockout_probability=option.stockout_probability,
        risk_exposure=option.risk_exposure,
        suppliers=option.suppliers,
    )
