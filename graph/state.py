"""State of a sourcing run. Small and JSON-able: bulk values are recomputed from the versions it names."""

import operator
from typing import Annotated, Any

import orjson
from typing_extensions import TypedDict

from graph.estimate_desk import Scope

Json = dict[str, Any]
"""A JSON object; bulk and typed values live in tools, store and agents, not in the checkpoint."""


class RunState(TypedDict):
    """One writer per key, or a reducer where parallel nodes write."""

    run_id: str
    trigger: Json
    dataset_version: str
    versions: Json
    item_ids: list[str]
    """Items this run replans; sense."""
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
    orders: list[Json]
    """Draft orders by supplier; choose_plan."""
    agreements: Annotated[list[Json], operator.add]
    """Negotiation outcomes by order, tagged with their round; negotiate."""
    decisions: Annotated[list[Json], operator.add]
    """Who decided in each agent's node: rules or a model, with its tokens and why it was passed over."""
    line_verdicts: list[Json]
    plan_verdicts: list[Json]
    routed: list[Json]
    """Orders with the tier that must sign, or none; gate_autonomy."""
    outcomes: Annotated[list[Json], operator.add]
    """What became of each order; the order branch."""
    closed: bool


class OrderState(TypedDict):
    """One order's branch: from its gate to the ERP."""

    run_id: str
    versions: Json
    order: Json
    answer: Json
    """The person's decision; await_approval."""
    outcomes: Annotated[list[Json], operator.add]


class OrderOutcome(TypedDict):
    """What an order's branch hands back: nothing that another branch also writes."""

    outcomes: Annotated[list[Json], operator.add]


class NegotiationTask(TypedDict):
    """What one negotiator gets."""

    run_id: str
    order: Json
    round: int
    limits: list[Json]
    """Target and reservation price of each line."""


def scope_of(state: RunState) -> Scope:
    """The hashable scope that the desk's computations of this run depend on."""
    return Scope(
        dataset_version=state["dataset_version"],
        item_ids=tuple(state["item_ids"]),
        alerts=orjson.dumps(state.get("alerts", []), option=orjson.OPT_SORT_KEYS).decode(),
        adjustments=tuple(sorted(state.get("adjustments", {}).items())),
        budget=float("inf") if state.get("budget") is None else float(state["budget"] or 0.0),
        estimate_version=state.get("estimate_version", ""),
    )
