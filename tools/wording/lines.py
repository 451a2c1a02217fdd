"""An order line in a buyer's words: what to order and why now, then what the quantity is made of."""

from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from tools.domain.orders import PLACING, Intent
from tools.wording.figures import about, days, exactly, money, named, of_units, on_day

SHOWN_REASONS = 3
LONGEST_COVER = 3_650
"""Days of cover from which a line has no day on which stock runs out."""
WORTH_TELLING = 0.5
"""Money below which a difference is not told."""
CHANGES = {
    Intent.ADJUST_QUANTITY: ("Change", "Changed", "the open order to"),
    Intent.MOVE_DATE: ("Move", "Moved", "the open order of"),
    Intent.HOLD: ("Hold", "Held", "the open order of"),
    Intent.CANCEL: ("Cancel", "Cancelled", "the open order of"),
}
"""How each change of an open order is asked for, how it is told once it was sent, and of what."""


class Stage(StrEnum):
    """Whether a line is still to be ordered."""

    ASKED = "asked"
    PLACED = "placed"
    LEFT = "left"
    """Denied, rejected or taken back."""


@dataclass(frozen=True, slots=True)
class LineFacts:
    """What is known of an order line; None where the plan that made it did not say."""

    intent: Intent
    quantity: float
    uom: str
    supplier_id: str
    supplier: str
    currency: str
    order_date: date
    expected_arrival: date
    days_of_cover: float | None = None
    """How long stock and what is on its way last at mean demand."""
    cost_of_waiting: float | None = None
    """Expected cost of ordering nothing above that of this order, in money."""
    cost_of_next_best: float | None = None
    """Expected cost of the best order elsewhere above that of this one, in money."""
    expected_need: float | None = None
    """Mean demand until an order of the next review could arrive, in units."""
    in_reach: float | None = None
    """Stock on hand and open orders that land within the lead time, in units."""
    reserve: float | None = None
    """Safety stock, in units."""
    before_rounding: float | None = None
    """Quantity before pack sizes and order limits, where it was planned for this line's quantity."""
    share_that_needs_it: float | None = None
    """Of a change of an open order: probability that stock runs short without that order."""
    limited: bool = False
    """Whether a limit that other orders share holds it back."""
    stage: Stage = Stage.ASKED
    kept: str = ""
    """A person's earlier decision that holds the line, in words."""


@dataclass(frozen=True, slots=True)
class Told:
    """Two of the three layers; the third is the mathematics, which a line carries itself."""

    sentence: str
    reasons: tuple[str, ...] = ()


def told_of_line(facts: LineFacts) -> Told:
    """One sentence, and at most three reasons."""
    if facts.kept:
        return Told(facts.kept)
    if facts.intent not in PLACING:
        return Told(_change(facts), _unneeded(facts))
    reasons = [*_need(facts), *_elsewhere(facts), *_size(facts)]
    return Told(f"{_order(facts)}{_why_now(facts)}.", tuple(reasons[:SHOWN_REASONS]))


def _who(facts: LineFacts) -> str:
    return named(facts.supplier, facts.supplier_id)


def _what(facts: LineFacts) -> str:
    return of_units(exactly(facts.quantity), facts.uom, facts.quantity)


def _order(facts: LineFacts) -> str:
    by_express = " by express" if facts.intent is Intent.EXPEDITE else ""
    instead = " instead" if facts.intent is Intent.SWITCH_SUPPLIER else ""
    line = f"{_what(facts)}{by_express} from {_who(facts)}{instead}"
    if facts.stage is Stage.PLACED:
        return f"Ordered {line} on {on_day(facts.order_date, facts.order_date)}"
    if facts.stage is Stage.LEFT:
        return f"Not ordered {'is' if facts.quantity == 1 else 'are'} {line}"
    return f"Order {line} now"


def _why_now(facts: LineFacts) -> str:
    """Cover against the delivery, and what comes of not ordering."""
    cover, delivery = facts.days_of_cover, (facts.expected_arrival - facts.order_date).days
    cost = facts.cost_of_waiting
    costs = money(cost, facts.currency) if cost is not None and cost > WORTH_TELLING else ""
    if cover is None:
        return f": waiting would cost about {costs}" if costs else ""
    is_now = "was" if facts.stage is Stage.PLACED else "is"
    stands = f"nothing {is_now} in stock or on its way" if round(cover) == 0 else f"cover {is_now} {days(cover)}"
    if cover >= delivery:
        would = "would have cost" if facts.stage is Stage.PLACED else "would cost"
        waits = f", and waiting {would} about {costs}" if costs else ""
        held = f"{stands} with all that is on order"
        return f": {held}{',' if waits else ' and'} a delivery takes {delivery}{waits}"
    runs_out = on_day(facts.order_date + timedelta(days=round(cover)), facts.order_date)
    run = "would run" if facts.stage is Stage.PLACED else "run"
    ends = f"without it you {run} out around {runs_out}" if round(cover) else f"without it you {run} out"
    unit = days(delivery) if round(cover) == 0 else f"{delivery}"
    return f": {stands}, a delivery takes {unit}, and {ends}{f', at about {costs}' if costs else ''}"


def _need(facts: LineFacts) -> list[str]:
    need, have, reserve = facts.expected_need, facts.in_reach, facts.reserve
    if need is None or have is None:
        return []
    told = (
        f"About {of_units(about(need), facts.uom, need)} will be used before a later order could arrive;"
        f" {about(max(have, 0.0))} are in stock or arrive by then."
    )
    if reserve is not None and reserve > WORTH_TELLING:
        told += f" About {about(reserve)} more are kept for busy weeks and late deliveries."
    return [told]


def _elsewhere(facts: LineFacts) -> list[str]:
    extra = facts.cost_of_next_best
    if extra is None or extra <= WORTH_TELLING:
        return []
    return [f"The next best way to buy it would cost about {money(extra, facts.currency)} more."]


def _size(facts: LineFacts) -> list[str]:
    if facts.limited:
        return ["A limit that it shares with other orders holds its size."]
    wanted = facts.before_rounding
    if wanted is None or about(wanted) == about(facts.quantity):
        return []
    return [f"About {about(wanted)} would do; pack sizes and order limits make it {exactly(facts.quantity)}."]


def _change(facts: LineFacts) -> str:
    asked, done, of = CHANGES[facts.intent]
    return f"{done if facts.stage is Stage.PLACED else asked} {of} {_what(facts)} from {_who(facts)}."


def _unneeded(facts: LineFacts) -> tuple[str, ...]:
    needed = facts.share_that_needs_it
    if needed is None:
        return ()
    return (f"In {round(100 * needed)} of 100 cases stock would run short without it.",)
