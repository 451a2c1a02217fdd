"""How long what is left of a run takes, by what the same steps took in an earlier one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from store.audit.chain import Transition

LAST = "gate_autonomy"
"""The step that publishes: from there on a run no longer computes."""


@dataclass(frozen=True)
class Pace:
    """What followed each step in an earlier run; empty where there was none."""

    items: int = 0
    """That the earlier run planned."""
    after: Mapping[str, float] = field(default_factory=dict[str, float])
    """Seconds from the first end of a step until the plan was published."""

    @classmethod
    def of(cls, rows: Sequence[Transition], items: int) -> "Pace":
        """From an earlier run's rows of the journal."""
        ended: dict[str, datetime] = {}
        for row in rows:
            if row.event == "node" and row.status == "ok":
                ended.setdefault(row.node, row.ended_at)
        published = ended.get(LAST)
        if published is None or items <= 0:
            return cls()
        return cls(items, {node: (published - end).total_seconds() for node, end in ended.items() if end <= published})

    def rest_after(self, node: str, items: int) -> float | None:
        """Seconds that what follows a step takes for so many items; None where nothing is known of it."""
        return self.after[node] * items / self.items if node in self.after and items > 0 else None
