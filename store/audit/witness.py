"""What the operations database knows of runs, decisions and ERP actions, for comparing the journal with it."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import text

from store.database import Database


@dataclass(frozen=True, slots=True)
class KnownDecision:
    """A person's decision that its run has taken in."""

    approval_id: str
    run_id: str
    order_key: str
    content_hash: str
    decision: str
    actor: str


@dataclass(frozen=True, slots=True)
class Testimony:
    """Run id to status, decisions by approval, and action key to status of every ERP action."""

    runs: Mapping[str, str]
    decisions: Mapping[str, KnownDecision]
    actions: Mapping[str, str]


class Witness(Database):
    """Reads what must have left rows in the journal."""

    def testimony(self) -> Testimony:
        """Everything known at this moment, orders left out."""
        decided = text(
            "SELECT approval_id, run_id, order_key, content_hash, decision, decided_by FROM approvals"
            " WHERE decision IS NOT NULL AND applied = 1"
        )
        with self._read() as connection:
            runs = connection.execute(text("SELECT run_id, status FROM runs ORDER BY created_at, run_id")).all()
            actions = connection.execute(text("SELECT action_key, status FROM outbox ORDER BY id")).all()
            decisions = [KnownDecision(*row) for row in connection.execute(decided)]
        return Testimony(
            runs={row.run_id: row.status for row in runs},
            decisions={known.approval_id: known for known in decisions},
            actions={row.action_key: row.status for row in actions},
        )
