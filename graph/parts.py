"""Opens the parts of an installation from its settings."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from langgraph.checkpoint.base import BaseCheckpointSaver

from agents.contracts import Counterparty
from erp.outbox import Outbox
from erp.sandbox import SandboxErp
from graph.computation.desk import Desk, DeskSettings
from graph.context import Context, Counterparties
from graph.incoming.readback import ReadBack
from graph.rules import materiality_of, rules_of
from graph.run.checkpoints import open_checkpointer
from graph.settings import Settings
from graph.stores import Stores, open_stores
from graph.team import agents_of
from tools.negotiation import seeded_supplier


@dataclass(frozen=True)
class Parts(Stores):
    """Everything that a session which plans holds open."""

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
        super().close()
        self.erp.close()


def open_parts(settings: Settings) -> Parts:
    """Open databases, ERP, agents and rules. Raises OutOfReach or BadInput with the remedy."""
    stores = open_stores(settings)
    operations, warehouse, journal = stores.operations, stores.warehouse, stores.journal
    erp = SandboxErp(settings.sandbox_path, settings.seed, operations.supply_seq)
    desk = Desk(warehouse, DeskSettings.of(settings.model_dump()), stores.pinned_estimates)
    readback = ReadBack(operations, warehouse, erp, desk, settings.seed)
    context = Context(
        desk=desk,
        warehouse=warehouse,
        operations=operations,
        outbox=Outbox(operations, erp, journal, erp_changes=lambda: erp.changes),
        agents=agents_of(settings),
        rules=rules_of(settings),
        now=_utc_now,
        counterparty=counterparties_of(settings),
        materiality=materiality_of(settings),
        fresh_dataset=readback.fresh_version,
    )
    checkpointer, close_checkpointer = open_checkpointer(operations)
    return Parts(settings, operations, warehouse, journal, erp, checkpointer, close_checkpointer, context, readback)


def _utc_now() -> datetime:
    return datetime.now(UTC)


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
