"""What a person decided of an order line: a fact that the next runs know."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

LineKey = tuple[str, str, str, str, str]
"""Item, site, supplier, the open order that the line changes (empty for a new one), and the line's id, which names its
offer: a supplier may sell an item by sea and by air."""


class LineRuling(StrEnum):
    """What was decided. Only rejections and edits hold; the other two end what held before."""

    APPROVE = "approve"
    EDIT = "edit"
    REJECT = "reject"
    RECONSIDER = "reconsider"
    """A rejection or an edit was taken back: the line is proposed as it is computed."""


HOLDING = frozenset({LineRuling.EDIT, LineRuling.REJECT})


@dataclass(frozen=True, slots=True)
class LineDecision:
    """One line's decision, with what was known when it was made. Quantities in the item's unit of measure."""

    approval_id: str
    order_key: str
    line_id: str
    item_id: str
    site_id: str
    supplier_id: str
    ruling: LineRuling
    proposed_units: float
    decided_units: float
    list_price: float
    stockout_bp: int
    """Risk of a stock-out under the plan that was decided on, in basis points."""
    actor: str
    reason: str = ""
    changes: str = ""
    alert_ids: frozenset[str] = frozenset()
    """Alerts that the plan knew."""
    until: date | None = None
    """Last day on which it holds, by the clock of the data; None for no end."""
    decided_on: date | None = None
    seq: int = field(default=0, compare=False)
    """The ledger's counter when it was stored."""

    @property
    def key(self) -> LineKey:
        """Which line it is about, run after run."""
        return self.item_id, self.site_id, self.supplier_id, self.changes, self.line_id

    def holds_on(self, today: date) -> bool:
        """Whether it is a rejection or an edit whose time is not over."""
        return self.ruling in HOLDING and (self.until is None or today <= self.until)

    @property
    def in_words(self) -> str:
        """Who decided what, when and why."""
        what = (
            f"{self.actor} rejected {self.proposed_units:,.0f}"
            if self.decided_units == 0
            else f"{self.actor} changed {self.proposed_units:,.0f} to {self.decided_units:,.0f}"
        )
        on = f" on {self.decided_on}" if self.decided_on else ""
        return f"{what}{on}{f' ({self.reason})' if self.reason else ''}"


Decisions = Mapping[LineKey, LineDecision]
