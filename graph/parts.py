"""Opens the parts of an installation from its settings."""

import sqlite3
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.checkpoint.sqlite import SqliteSaver

from agents.contracts import Agents, Counterparty
from agents.rules import rule_agents
from erp.outbox import Outbox
from erp.sandbox import SandboxErp
from graph.context import Context
from graph.desk import Desk
from graph.settings import Settings
from policies.gates import RuleSet, load_rules
from store.journal import Journal
from store.operations import Operations
from store.warehouse import Warehouse
from tools.domain.errors import BadInput

BUILT_IN_RULES = Path(__file__).parent.parent / "policies" / "rules" / "default.yaml"


@dataclass(frozen=True)
class Parts:
    """Everything that a session holds open."""

    settings: Settings
    operations: Operations
    warehouse: Warehouse
    journal: Journal
    erp: SandboxErp
    checkpointer: BaseCheckpointSaver[Any]
    context: Context

    def close(self) -> None:
        """Project what is staged, then release every file."""
        self.journal.stop()
        self.operations.close()
        self.warehouse.close()
        self.erp.close()


def open_parts(settings: Settings) -> Parts:
    """Open databases, ERP, agents and rules. Raises OutOfReach or BadInput with the remedy."""
    settings.home.mkdir(parents=True, exist_ok=True)
    warehouse = Warehouse(settings.warehouse_path)
    operations = Operations(settings.operations_url)
    journal = Journal(operations, warehouse)
    erp = SandboxErp(settings.sandbox_path, settings.seed)
    context = Context(
        desk=Desk(warehouse, settings.seed, settings.horizon_periods),
        warehouse=warehouse,
        operations=operations,
        outbox=Outbox(operations, erp),
        agents=agents_of(settings),
        rules=rules_of(settings),
        now=_utc_now,
        counterparty=nobody,
    )
    checkpointer = SqliteSaver(_checkpoints(settings.home / "checkpoints.sqlite"))
    return Parts(settings, operations, warehouse, journal, erp, checkpointer, context)


def _checkpoints(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, check_same_thread=False, timeout=30)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=NORMAL")
    return connection


def _utc_now() -> datetime:
    return datetime.now(UTC)


def agents_of(settings: Settings) -> Agents:
    """The rule-based agents; a configured model joins them in `agents.llm`."""
    del settings
    return rule_agents()


def rules_of(settings: Settings) -> RuleSet:
    """The active rules. BadInput when the file cannot be read."""
    path = settings.policy_file or BUILT_IN_RULES
    try:
        return load_rules(path.read_text())
    except OSError as error:
        raise BadInput(f"The rule file {path} cannot be read: {error}.", remedy="Correct JIT_POLICY_FILE.") from error


def nobody(supplier_id: str) -> Counterparty | None:
    """No supplier answers by itself: negotiators draft an opening."""
    del supplier_id
    return None
