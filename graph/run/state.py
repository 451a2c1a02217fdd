"""State of a sourcing run. Small and JSON-able: bulk values are recomputed from the versions it names."""

import operator
from collections.abc import Sequence
from typing import Annotated, Any

import orjson
from typing_extensions import TypedDict

from graph.computation.estimate_desk import Scope
from graph.upkeep.old_homes import typed_order
from tools.domain.orders import Order

Json = dict[str, Any]
"""A JSON object; bulk values live in tools, store and agents, not in the checkpoint."""


def by_key(known: Sequence[Order], changed: Sequence[Order]) -> list[Order]:
    """Orders with those that changed in place of what they were."""
    return list({order.order_key: order for order in map(typed_order, (*known, *changed))}.values())


class RunState(TypedDict):
    """One writer per key, or a reducer where parallel nodes write."""

    run_id: str
    trigger: Json
    dataset_version: str
    versions: Json
    supply: int
    """The ledger's counter before anything else was read: what moves after it is not in this plan; sense."""
    passes: Annotated[int, operator.add]
    """How often the run looked at supply; sense."""
    moved: list[str]
    """Items whose supply moved before the plan was published; gate_autonomy."""
    watched: str
    """Why nothing of this plan may leave or wait; empty where it may; sense."""
    item_ids: list[str]
    """Items this run decides; sense."""
    kept: list[Order]
    """What waits in one order with items that it plans and stays as it was planned: lines of its other items; sense."""
    alerts: list[Json]
    """Typed alerts of the run; sense."""
    budget: float | None
    """Money that the policy leaves for orders placed now, None for no budget; sense."""
    estimate_version: str
    """Stored distributions that this run plans with; estimate."""
    drift: Json
    """Verdicts of the gate `drift`, and how many alarms there are of each kind; estimate."""
    stopped: str
    """Why the data gate stopped the run, empty when it did not; gate_data."""
    risks: list[Json]
    exposure: dict[str, float]
    """Money at risk by item; assess_risk."""
    adjustments: dict[str, float]
    """Offer id to the largest quantity the gates left it (0 bars it); gate_lines, gate_plan."""
    rounds: Annotated[int, operator.add]
    choice: Json
    """Group to option id, with reasons; choose_plan."""
    orders: list[Order]
    """Draft orders by supplier; choose_plan, gate_lines."""
    held: list[Order]
    """Orders of lines that a person rejected before and that nothing material changed of since; choose_plan."""
    agreements: Annotated[list[Json], operator.add]
    """Negotiation outcomes by order, tagged with their pass and round; negotiate."""
    decisions: Annotated[list[Json], operator.add]
    """Who decided in each agent's node: rules or a model, with its tokens and why it was passed over."""
    line_verdicts: list[Json]
    plan_verdicts: list[Json]
    routed: Annotated[list[Order], by_key]
    """Orders as they were published, each in the form that its branch left it in; gate_autonomy, the order branch."""
    outcomes: Annotated[list[Json], operator.add]
    """What became of each order; the order branch."""
    closed: bool


class OrderState(TypedDict):
    """One order's branch: from its gate to the ERP."""

    run_id: str
    versions: Json
    order: Order
    answer: Json
    """The person's decision; await_approval."""
    outcomes: Annotated[list[Json], operator.add]
    routed: Annotated[list[Order], by_key]


class OrderOutcome(TypedDict):
    """What an order's branch hands back: what became of the order, and its latest form."""

    outcomes: Annotated[list[Json], operator.add]
    routed: Annotated[list[Order], by_key]


class NegotiationTask(TypedDict):
    """What one negotiator gets."""

    run_id: str
    order: Order
    supply: int
    round: int
    limits: list[Json]
    """Target and reservation price of each line."""


def scope_of(state: RunState) -> Scope:
    """The hashable scope that the desk's computations of this run depend on: the items that it plans itself."""
    kept = [line for order in state.get("kept", []) for line in order.lines]
    left_alone = {line.item_id for line in kept}
    return Scope(
        dataset_version=state["dataset_version"],
        item_ids=tuple(item_id for item_id in state["item_ids"] if item_id not in left_alone),
        alerts=orjson.dumps(state.get("alerts", []), option=orjson.OPT_SORT_KEYS).decode(),
        adjustments=tuple(sorted(state.get("adjustments", {}).items())),
        budget=float("inf") if state.get("budget") is None else float(state["budget"] or 0.0),
        estimate_version=state.get("estimate_version", ""),
        beside=tuple(sorted((line.offer_id, line.quantity) for line in kept)),
    )
