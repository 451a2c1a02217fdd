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
    """What a run knows. Nodes that run beside each other write a key through its reducer alone.

    Each key names the functions that write it and those that read it, from the state, an update or a checkpoint;
    `_first`, `_drive_graph` and `_note` drive runs, `heard` is any node that may be cancelled, `compact` and
    `on_chain_end` write the journal, `move_old_runs` and `_adopt` read what the first version left.
    """

    run_id: str
    """Written by _first; read by heard, sense, _version_to_plan_on, gate_data, estimate, gate_drift, assess_risk,
    compute_options, choose_plan, to_negotiators, gate_lines, gate_plan, gate_autonomy, plan_of, close."""
    trigger: Json
    """What started the run. Written by _first; read by sense, _version_to_plan_on, typed_by."""
    dataset_version: str
    """The data that it plans on: what was active or asked for, then what knows everything on order.
    Written by _first, sense; read by _version_to_plan_on, gate_data, estimate, scope_of, plan_facts, _storage_bp,
    gate_autonomy, plan_of, close, run_kpis."""
    supply: int
    """The ledger's counter before anything else was read: what moves after it is not in this plan.
    Written by sense; read by to_negotiators, gate_lines, plan_of, run_kpis."""
    passes: Annotated[int, operator.add]
    """How often the run looked at supply. Written by sense; read by sense, _version_to_plan_on."""
    moved: list[str]
    """Items whose supply moved before the plan was published. Written by gate_autonomy; read by to_order_branches."""
    watched: str
    """Why nothing of this plan may leave or wait; empty where it may.
    Written by sense; read by gate_autonomy, plan_of."""
    item_ids: list[str]
    """Items this run decides.
    Written by sense; read by scope_of, gate_data, gate_autonomy, plan_of, run_kpis, _drive_graph, _adopt."""
    kept: list[Order]
    """What waits in one order with items that it plans and stays as it was planned: lines of its other items.
    Emptied when the ledger has them. Written by sense, gate_autonomy; read by scope_of, assess_risk, choose_plan,
    gate_autonomy."""
    alerts: list[Json]
    """Typed alerts of the run. Written by sense; read by scope_of."""
    budget: float | None
    """Money that the policy leaves for orders placed now, None for no budget. Written by sense; read by scope_of."""
    estimate_version: str
    """Stored distributions that this run plans with. Written by estimate; read by scope_of, on_chain_end."""
    drift: Json
    """Verdicts of the gate `drift`, and how many alarms there are of each kind.
    Written by gate_drift; read by gate_autonomy."""
    stopped: str
    """Why nothing is planned, empty where it is: supply that never stood still, or the data gate.
    Written by sense, gate_data; read by gate_data, unless_stopped, run_kpis, _note."""
    exposure: dict[str, float]
    """Money at risk by item. Written by assess_risk; read by plan_facts."""
    adjustments: dict[str, float]
    """Offer id to the largest quantity that the gates left it (0 bars it); empty at the start of a pass.
    Written by sense, gate_lines; read by scope_of, gate_lines."""
    rounds: Annotated[int, operator.add]
    """How often a plan was chosen in this pass.
    Written by sense, choose_plan; read by sense, talked_about_once, to_negotiators, gate_lines,
    denied_lines_go_back."""
    choice: Json
    """Group to option id, with reasons. Written by choose_plan; read by limit_prices, gate_lines."""
    orders: list[Order]
    """Draft orders by supplier, emptied when the ledger has them.
    Written by choose_plan, gate_lines, gate_autonomy; read by to_negotiators, limit_prices, gate_lines, gate_plan,
    gate_autonomy, move_old_runs."""
    held: list[Order]
    """Orders of lines that a person rejected before and that nothing material changed of since.
    Written by choose_plan, gate_autonomy; read by gate_autonomy."""
    limits: dict[str, list[Json]]
    """By order, target and reservation price of each line that is worth talking about.
    Written by limit_prices, gate_autonomy; read by to_negotiators."""
    agreements: Annotated[list[Json], operator.add]
    """Negotiation outcomes by order, tagged with their pass and round.
    Written by negotiate; read by gate_lines, run_kpis."""
    decisions: Annotated[list[Json], operator.add]
    """Who decided in each agent's node: rules or a model, with its tokens and why it was passed over.
    Written by assess_risk, choose_plan, negotiate; read by compact."""
    line_verdicts: list[Json]
    """What the gates said of each line, emptied when the ledger has the orders.
    Written by sense, gate_lines, gate_autonomy; read by choose_plan, denied_lines_go_back, gate_autonomy."""
    plan_verdicts: list[Json]
    """What the gates said of the whole plan. Written by gate_plan; read by gate_autonomy."""
    routed: Annotated[list[Order], by_key]
    """Orders as they were published, each in the form that its branch left it in.
    Written by gate_autonomy, dispatch, decline; read by to_order_branches, move_old_runs, _adopt."""
    outcomes: Annotated[list[Json], operator.add]
    """What became of each order. Written by dispatch, decline; read by close."""


class OrderOutcome(TypedDict):
    """What an order's branch hands back to the run."""

    outcomes: Annotated[list[Json], operator.add]
    """What became of the order. Written by dispatch, decline; read by close."""
    routed: Annotated[list[Order], by_key]
    """Its latest form, in the place of the one that was published.
    Written by dispatch, decline; read by to_order_branches, move_old_runs, _adopt."""


class OrderState(OrderOutcome):
    """One order's branch: from its gate to the ERP."""

    order: Order
    """The order as the branch knows it; the ledger has its latest form.
    Written by to_order_branches, gate_edit, dispatch, decline; read by needs_person, await_approval, by_answer,
    gate_edit, _latest, _order_key, _is_own."""
    answer: Json
    """The person's decision. Written by await_approval; read by by_answer, decline."""


class NegotiationTask(TypedDict):
    """What one negotiator gets."""

    run_id: str
    """Written by to_negotiators; read by heard, negotiate."""
    order: Order
    """Written by to_negotiators; read by negotiate, _order_key."""
    supply: int
    """The pass that it talks in. Written by to_negotiators; read by negotiate."""
    round: int
    """The round that it talks in. Written by to_negotiators; read by negotiate."""
    limits: list[Json]
    """Target and reservation price of each line. Written by to_negotiators; read by negotiate."""


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
