"""Opens the parts of an installation from its settings."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from langgraph.checkpoint.base import BaseCheckpointSaver
from pydantic import ValidationError

from agents.contracts import Agents, Counterparty
from agents.llm import LlmSettings
from agents.rules import rule_agents
from agents.team import llm_agents
from erp.outbox import Outbox
from erp.sandbox import SandboxErp
from graph.checkpoints import open_checkpointer
from graph.context import Context, Counterparties
from graph.desk import Desk, DeskSettings
from graph.readback import ReadBack
from graph.settings import Settings
from policies.gates import RuleSet, load_rules
from store.journal import Journal
from store.operations import Operations
from store.warehouse import Warehouse
from tools.domain.errors import BadInput
from tools.negotiation import seeded_supplier

BUILT_IN_RULES = Path(__file__).parent.parent / "policies" / "rules" / "default.yaml"
PINNED_RUNS = 200
"""How many of the latest runs keep the distributions that they were planned with while they go on."""
OPENAI_URL = "https://api.openai.com/v1"


@dataclass(frozen=True)
class Parts:
    """Everything that a session holds open."""

    settings: Settings
    operations: Operations
    warehouse: Warehouse
    journal: Journal
    erp: SandboxErp
    checkpointer: BaseCheckpointSaver[Any]
    close_checkpointer: Callable[[], None]
    context: Context
    readback: ReadBack

    def close(self) -> None:
        """Project what is staged, then release every file."""
        self.journal.stop()
        self.close_checkpointer()
        self.context.agents.close()
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
    desk = Desk(warehouse, DeskSettings.of(settings.model_dump()), lambda: _pinned(operations))
    readback = ReadBack(operations, warehouse, erp, desk, settings.seed)
    context = Context(
        desk=desk,
        warehouse=warehouse,
        operations=operations,
        outbox=Outbox(operations, erp, journal),
        agents=agents_of(settings),
        rules=rules_of(settings),
        now=_utc_now,
        counterparty=counterparties_of(settings),
        fresh_dataset=readback.fresh_version,
    )
    checkpointer, close_checkpointer = open_checkpointer(operations)
    return Parts(settings, operations, warehouse, journal, erp, checkpointer, close_checkpointer, context, readback)


def _pinned(operations: Operations) -> set[str]:
    """Estimate versions of runs that go on or wait for people."""
    going_on = (row for row in operations.runs(PINNED_RUNS) if row.status in ("running", "waiting"))
    return {str(row.versions["estimate"]) for row in going_on if "estimate" in row.versions}


def _utc_now() -> datetime:
    return datetime.now(UTC)


def agents_of(settings: Settings) -> Agents:
    """The rule-based agents, or agents with the configured model; a key alone configures none. BadInput."""
    if not settings.llm_model:
        return rule_agents()
    try:
        made = LlmSettings(
            base_url=settings.llm_base_url or OPENAI_URL,
            model=settings.llm_model,
            api_key=settings.openai_api_key,
            timeout_seconds=settings.llm_timeout_seconds,
        )
    except ValidationError as error:
        wrong = "; ".join(f"{one['loc'][0]} {one['msg']}" for one in error.errors(include_input=False))
        remedy = "Correct JIT_LLM_BASE_URL, JIT_LLM_MODEL or JIT_LLM_TIMEOUT_SECONDS."
        raise BadInput(f"The language model is not configured well: {wrong}.", remedy=remedy) from None
    return llm_agents(made)


def rules_of(settings: Settings) -> RuleSet:
    """The active rules. BadInput when the file cannot be read."""
    path = settings.policy_file or BUILT_IN_RULES
    try:
        return load_rules(path.read_text())
    except OSError as error:
        raise BadInput(f"The rule file {path} cannot be read: {error}.", remedy="Correct JIT_POLICY_FILE.") from error


def counterparties_of(settings: Settings) -> Counterparties:
    """Who answers for the suppliers: the sandbox's seeded ones where they talk, otherwise nobody."""
    if settings.erp != "sandbox" or not settings.sandbox_supplier_talks:
        return _nobody

    def seeded(supplier_id: str, list_prices: Mapping[str, float]) -> Counterparty | None:
        return seeded_supplier(supplier_id, list_prices, settings.seed)

    return seeded


def _nobody(supplier_id: str, list_prices: Mapping[str, float]) -> Counterparty | None:
    """No supplier answers by itself: negotiators draft an opening."""
    del supplier_id, list_prices
    return None
