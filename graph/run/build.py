"""The graph's edges, and nothing else. DESIGN's picture, node by node."""

from typing import Any

from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.graph import END, START, StateGraph
from langgraph.graph.state import CompiledStateGraph

from graph.context import Context
from graph.run import gates, nodes, orders
from graph.run.state import NegotiationTask, OrderOutcome, OrderState, RunState
from graph.run.watching import watched

Graph = CompiledStateGraph[Any, Context, Any, Any]


def order_branch() -> Graph:
    """One order from its approval to the ERP; an edit goes through the gates again and asks again."""
    builder = StateGraph(OrderState, context_schema=Context, output_schema=OrderOutcome)
    builder.add_node("await_approval", orders.await_approval)
    builder.add_node("gate_edit", orders.gate_edit)
    builder.add_node("dispatch", orders.dispatch)
    builder.add_node("decline", orders.decline)
    builder.add_conditional_edges(START, orders.needs_person, ["await_approval", "dispatch", "decline"])
    builder.add_conditional_edges("await_approval", orders.by_answer, ["dispatch", "gate_edit", "decline"])
    builder.add_conditional_edges("gate_edit", orders.needs_person, ["await_approval", "dispatch", "decline"])
    builder.add_edge("dispatch", END)
    builder.add_edge("decline", END)
    return builder.compile()


def build(checkpointer: BaseCheckpointSaver[Any] | None = None) -> Graph:
    """The sourcing run."""
    builder = StateGraph(RunState, context_schema=Context)
    builder.add_node("sense", watched(nodes.sense))
    builder.add_node("gate_data", watched(gates.gate_data))
    builder.add_node("estimate", watched(nodes.estimate))
    builder.add_node("gate_drift", watched(gates.gate_drift))
    builder.add_node("assess_risk", watched(nodes.assess_risk))
    builder.add_node("compute_options", watched(nodes.compute_options))
    builder.add_node("choose_plan", watched(nodes.choose_plan))
    builder.add_node("limit_prices", watched(nodes.limit_prices))
    builder.add_node("negotiate", watched(nodes.negotiate), input_schema=NegotiationTask)
    builder.add_node("gate_lines", watched(gates.gate_lines))
    builder.add_node("gate_plan", watched(gates.gate_plan))
    builder.add_node("gate_autonomy", gates.gate_autonomy)
    builder.add_node("order", order_branch())
    builder.add_node("close", nodes.close)
    builder.add_edge(START, "sense")
    builder.add_edge("sense", "gate_data")
    builder.add_conditional_edges("gate_data", gates.unless_stopped, ["estimate", "close"])
    builder.add_edge("estimate", "gate_drift")
    builder.add_edge("gate_drift", "assess_risk")
    builder.add_edge("assess_risk", "compute_options")
    builder.add_edge("compute_options", "choose_plan")
    builder.add_conditional_edges("choose_plan", nodes.talked_about_once, ["limit_prices", "gate_lines"])
    builder.add_conditional_edges("limit_prices", nodes.to_negotiators, ["negotiate", "gate_lines"])
    builder.add_edge("negotiate", "gate_lines")
    builder.add_conditional_edges("gate_lines", gates.denied_lines_go_back, ["compute_options", "gate_plan"])
    builder.add_edge("gate_plan", "gate_autonomy")
    builder.add_conditional_edges("gate_autonomy", gates.to_order_branches, ["sense", "order", "close"])
    builder.add_edge("order", "close")
    builder.add_edge("close", END)
    return builder.compile(checkpointer=checkpointer, name="sourcing_run")
