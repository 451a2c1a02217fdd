"""What was decided of orders, as the doors show it."""

from datetime import datetime
from enum import StrEnum

from graph.views.base import View


class DecisionKind(StrEnum):
    """What was decided."""

    APPROVED = "approved"
    EDITED = "edited"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"
    RECONSIDERED = "reconsidered"
    """A rejection or an edit was taken back: its lines are proposed again as they are computed."""
    REPLACED = "replaced"
    """By a newer plan of its items."""
    VOID = "void"
    """The policy, the order or what is on order changed before anybody decided."""
    AUTOMATIC = "automatic"
    """It left by itself, within the limits of the policy."""


class DecidedLineView(View):
    """A line of a decided order; a quantity of 0 after means that it is not ordered."""

    line_id: str
    intent: str
    item_id: str
    item: str
    uom: str
    before_quantity: float
    after_quantity: float
    before_price: float
    after_price: float
    before_value: float
    after_value: float

    @property
    def changed(self) -> bool:
        """Whether the decision left another quantity or price."""
        return (self.before_quantity, self.before_price) != (self.after_quantity, self.after_price)


class DecisionView(View):
    """One decision, or what one event did to several orders alike."""

    cursor: str
    """Give it as `before` to read on from here."""
    group: str
    """Give it as `within` to read the orders of the event one by one."""
    kind: DecisionKind
    at: datetime
    actor: str
    """Who decided: a person, the run that replaced it, `policy`, or `session` for the program itself."""
    reason: str = ""
    orders: int = 1
    """How many orders; with several, `lines` is empty and `value_before` and `value_after` are of all of them."""
    run_id: str
    """The run that ordered it."""
    order_key: str
    approval_id: str = ""
    supplier_id: str
    supplier: str
    currency: str
    value_before: float
    value_after: float
    lines: tuple[DecidedLineView, ...] = ()
    status: str = ""
    """Where the order stands now."""
    erp_reference: str = ""
    became: str = ""
    """What became of it, in a sentence."""
