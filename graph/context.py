"""What a run's nodes may use. Everything arrives here; nothing is built at import."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from agents.contracts import Agents, Counterparty
from erp.outbox import Outbox
from graph.computation.desk import Desk
from graph.run.cancelling import Cancels
from policies.gates import RuleSet
from policies.material import Materiality
from store.operations import Operations
from store.warehouse import Warehouse

Counterparties = Callable[[str, Mapping[str, float]], Counterparty | None]
"""Supplier id and list price by line id to whoever answers for the supplier, None when nobody does."""


@dataclass(frozen=True)
class Context:
    """The parts of one installation, as a run sees them."""

    desk: Desk
    warehouse: Warehouse
    operations: Operations
    outbox: Outbox
    agents: Agents
    rules: RuleSet
    now: Callable[[], datetime]
    counterparty: Counterparties
    materiality: Materiality
    """What must change before a rejected or edited line is proposed otherwise again."""
    fresh_dataset: Callable[[], str | None]
    """The active dataset version, read anew from the ERP where it does not know what is on order; None for none."""
    cancels: Cancels = field(default_factory=Cancels)
    """Runs that compute, and which of them people ended."""
