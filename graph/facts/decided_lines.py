"""Decisions that stick: lines that a person rejected or edited stay so until something material changed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from graph.computation.desk import Scope
from graph.context import Context
from policies.material import Proposal, material_changes
from tools.domain.alerts import Alert
from tools.domain.datasets import Dataset
from tools.domain.decisions import Decisions, LineDecision, LineKey
from tools.domain.orders import Order, OrderLine, OrderStatus, Route, RouteKind
from tools.domain.plans import OrderPlan

HELD = "held"
TINY = 1e-6


@dataclass(frozen=True)
class _Known:
    """What one plan is compared with."""

    decisions: Decisions
    bought: Mapping[LineKey, float]
    plan: OrderPlan
    dataset: Dataset
    scope: Scope
    context: Context
    matched: dict[tuple[str, str], LineDecision]
    """The decision that each line falls under, by order key and line id."""
    asked: dict[LineKey, list[float]] = field(default_factory=dict[LineKey, list[float]])
    """Units of every line under a decision."""
    given: dict[LineKey, list[float]] = field(default_factory=dict[LineKey, list[float]])
    """Units that those looked at so far got of it."""
    affected: dict[str, frozenset[str]] = field(default_factory=dict[str, frozenset[str]])
    """Items by alert id, worked out once each."""
    grown: frozenset[LineKey] = frozenset()
    """Decisions whose need is more than what was decided, even with that counted as coming."""
    held: dict[LineKey, list[str]] = field(default_factory=dict[LineKey, list[str]])
    """Offers of the lines that stay as they were rejected, by decision."""
    doubtful: set[LineKey] = field(default_factory=set[LineKey])
    """Those of them that the plan asks more of, without knowing of the decision."""

    def share(self, made: LineDecision, line: OrderLine) -> float:
        """What a line gets of the decided units: the lines under a decision fill up in turn, the last gets the rest."""
        given = self.given.setdefault(made.key, [])
        left = made.decided_units - sum(given)
        return left if len(given) + 1 == len(self.asked[made.key]) else min(line.quantity, left)

    def new_alerts(self, made: LineDecision) -> list[str]:
        """Alerts about the line's item that were not known when it was decided."""
        fresh = [alert for alert in self.scope.typed_alerts if alert.alert_id not in made.alert_ids]
        return [f"{one.kind.value} at {one.node_id}" for one in fresh if made.item_id in self._affected(one)]

    def withheld(self) -> list[tuple[str, float]]:
        """Units that the held lines' decisions turned down, by offer id."""
        return [(self._offer_of(key), self._turned_down(key)) for key in self.held if self._turned_down(key) > 0]

    def _turned_down(self, key: LineKey) -> float:
        return self.decisions[key].proposed_units - self.decisions[key].decided_units

    def _offer_of(self, key: LineKey) -> str:
        own = self.decisions[key].line_id.rpartition("#")[0]
        return own if own in self.dataset.offer_of else self.held[key][0]

    def may_only_seem_more(self, made: LineDecision, now: Proposal, changed: Sequence[str]) -> bool:
        """Whether nothing but the quantity rose, and it is not known yet that more is needed."""
        same = material_changes(made, replace(now, units=made.proposed_units), self.context.materiality)
        return now.units > made.proposed_units and len(changed) == 1 and not same and made.key not in self.grown

    def is_outgrown(self, key: LineKey, beside: Mapping[str, float]) -> bool:
        """Whether materially more than what was decided is needed, where so much is needed beside what it left out."""
        made, bought = self.decisions[key], self.bought.get(key, 0.0)
        more = sum(beside.get(offer_id, 0.0) for offer_id in dict.fromkeys(self.held[key]))
        now = Proposal(more + self._turned_down(key) + bought, made.list_price, made.stockout_bp, bought)
        return now.units > made.proposed_units and bool(material_changes(made, now, self.context.materiality))

    def _affected(self, alert: Alert) -> frozenset[str]:
        if alert.alert_id not in self.affected:
            found = self.context.desk.disruption(self.scope.told_only([alert]))
            self.affected[alert.alert_id] = frozenset(found.affected_item_ids)
        return self.affected[alert.alert_id]


def with_decisions(
    drafted: Sequence[Order], plan: OrderPlan, scope: Scope, chosen: Mapping[str, str], context: Context
) -> tuple[list[Order], list[Order]]:
    """The orders as earlier decisions leave them, and orders of the lines that stay rejected.

    A line that was rejected comes back only when its quantity, price or risk of a stock-out changed materially, or
    when a new alert concerns it; it then says so, and asks a person. An edited one keeps its edited quantity until the
    end of its need, and is not asked for again once something of it was ordered.

    The plan does not know what people decided. Where a line is held back, it is therefore asked what it would order
    if the units turned down were coming. More of a held line brings it back only where more is needed even so: a larger
    lot may only be the cheaper one. And of its item no other supplier is asked for what is not needed then: else one
    part of a shared need is turned down, and the others are asked for theirs again in every plan.
    """
    dataset = context.desk.dataset(scope.dataset_version)
    decisions = {key: made for key, made in context.operations.line_decisions().items() if made.holds_on(dataset.as_of)}
    if not decisions:
        return list(drafted), []
    bought = context.operations.bought_since(decisions.values())
    first = _Known(decisions, bought, plan, dataset, scope, context, _matched(drafted, decisions))
    for order in drafted:
        for line in order.lines:
            if (order.order_key, line.line_id) in first.matched:
                made = first.matched[order.order_key, line.line_id]
                first.asked.setdefault(made.key, []).append(line.quantity)
    known, ruled, beside = _ruled(drafted, first, chosen)
    proposed: list[Order] = []
    held: list[Order] = []
    for order, found in zip(drafted, ruled, strict=True):
        lines = [(_no_more_than_needed(line, order, known, beside), made) for line, made in found]
        kept = tuple(line for line, _ in lines if not line.denied)
        stays = tuple(line for line, _ in lines if line.denied)
        editors = tuple(dict.fromkeys(made.actor for line, made in lines if made is not None and not line.denied))
        if kept:
            edited = {"edited": True, "proposed_by": (*order.proposed_by, *editors)} if editors else {}
            proposed.append(order.changed(lines=kept, **edited))
        if stays:
            held.append(held_order(order, stays))
    return proposed, held


Ruled = tuple[OrderLine, LineDecision | None]
"""A line as an earlier decision leaves it, and that decision where it still holds."""


def _ruled(
    drafted: Sequence[Order], first: _Known, chosen: Mapping[str, str]
) -> tuple[_Known, list[list[Ruled]], Mapping[str, float]]:
    """Every line as decisions leave it, and units by offer that are needed beside those that were turned down."""
    known = first
    while True:
        ruled = [[_as_decided(line, order, known) for line in order.lines] for order in drafted]
        if not known.doubtful and not _asks_others(ruled, drafted, known):
            return known, ruled, {}
        beside = known.context.desk.units_asked_beside(known.scope, chosen, known.withheld())
        grown = known.grown | {key for key in known.doubtful if known.is_outgrown(key, beside)}
        if grown == known.grown:
            return known, ruled, beside
        known = replace(first, grown=grown, given={}, held={}, doubtful=set())


def _asks_others(ruled: Sequence[Sequence[Ruled]], drafted: Sequence[Order], known: _Known) -> bool:
    """Whether a supplier is asked for the rest of a need of which another part was turned down."""
    places = {key[:2] for key in known.held}
    return any(
        (line.item_id, order.site_id) in places and made is None and not line.decided_before
        for order, lines in zip(drafted, ruled, strict=True)
        for line, made in lines
        if not order.changes
    )


def _no_more_than_needed(line: OrderLine, order: Order, known: _Known, beside: Mapping[str, float]) -> OrderLine:
    """The line with what is needed beside the turned down parts of its need; `denied` where that is nothing."""
    place = line.item_id, order.site_id
    told = [known.decisions[key].in_words for key in known.held if key[:2] == place]
    needed = beside.get(line.offer_id, 0.0)
    about_as_much = needed >= line.quantity * (1.0 - known.context.materiality.quantity)
    if not told or about_as_much or line.denied or line.decided_before or order.changes:
        return line
    offer = known.dataset.offer_of[line.offer_id]
    if needed < max(offer.moq, TINY):
        said = f"{' and '.join(told)}; beside that nothing is needed, so {line.quantity:,.0f} are not proposed."
        return line.model_copy(update={"denied": True, "notes": (said, *line.notes)})
    said = f"{' and '.join(told)}; beside that {needed:,.0f} are needed, not the {line.quantity:,.0f} of the plan."
    less = line.at_quantity(needed, offer.unit_price_at(needed))
    return less.model_copy(update={"notes": (said, *line.notes)})


def _matched(drafted: Sequence[Order], decisions: Decisions) -> dict[tuple[str, str], LineDecision]:
    """The decision on each line; on the same need from a source that is not asked now, where there is none.

    Of such, one from the line's own supplier comes first.
    """
    keys = {(o.order_key, line.line_id): _key(line, o) for o in drafted for line in o.lines}
    asked = set(keys.values())
    found: dict[tuple[str, str], LineDecision] = {}
    for place, key in keys.items():
        item_id, site_id, supplier_id, changes, _ = key
        others = [made for made in decisions.values() if made.key[:2] == (item_id, site_id) and made.key not in asked]
        others = [made for made in others if not made.changes and not changes]
        others.sort(key=lambda made: made.supplier_id != supplier_id)
        made = decisions.get(key) or next(iter(others), None)
        if made is not None:
            found[place] = made
    return found


def _key(line: OrderLine, order: Order) -> LineKey:
    return line.item_id, order.site_id, order.supplier_id, order.changes, line.line_id


def _as_decided(line: OrderLine, order: Order, known: _Known) -> tuple[OrderLine, LineDecision | None]:
    """A line as an earlier decision leaves it, and that decision where it still holds; `denied` marks one held back."""
    made = known.matched.get((order.order_key, line.line_id))
    if made is None:
        return line, None
    bought = known.bought.get(made.key, 0.0)
    outlook = known.plan.outlook_of[line.item_id, order.site_id]
    risk_bp = round(outlook.stockout_probability * 10_000)
    asked = sum(known.asked[made.key])
    now = Proposal(asked, line.list_price, risk_bp, bought, known.new_alerts(made))
    changed = material_changes(made, now, known.context.materiality)
    if made.supplier_id != order.supplier_id and made.decided_units == 0:
        changed = [f"it comes from {order.supplier_id} instead of {made.supplier_id}", *changed]
    rest = 0.0 if bought else known.share(made, line)
    offer = known.dataset.offer_of[line.offer_id]
    stays_out = bool(order.changes) or rest < max(offer.moq, TINY)
    doubtful = stays_out and known.may_only_seem_more(made, now, changed)
    if changed and not doubtful:
        return _marked(line, f"Decided before: {made.in_words}. It comes back because {', and '.join(changed)}."), None
    if stays_out:
        known.given.setdefault(made.key, []).append(0.0)
        if not made.changes:
            known.held.setdefault(made.key, []).append(line.offer_id)
        if doubtful:
            known.doubtful.add(made.key)
        why = "no more than that is needed" if doubtful else "nothing material changed since"
        said = f"{made.in_words}; {why}, so {line.quantity:,.0f} are not proposed again."
        return line.model_copy(update={"denied": True, "notes": (said, *line.notes)}), made
    known.given[made.key].append(rest)
    said = f"{made.in_words}; nothing material changed since (the plan computes {asked:,.0f}), so it stays so."
    return _marked(line.at_quantity(rest, offer.unit_price_at(rest)), said), made


def _marked(line: OrderLine, said: str) -> OrderLine:
    return line.model_copy(update={"decided_before": said, "notes": (said, *line.notes)})


def held_order(order: Order, lines: tuple[OrderLine, ...]) -> Order:
    """An order of lines that are not proposed, each of which says why in its first note."""
    held = order.changed(
        order_key=f"{order.order_key}/{HELD}",
        status=OrderStatus.GATED,
        proposed_by=(*order.proposed_by, "agent:planner"),
    )
    return _for_reasons(held, lines)


def held_together(held: Sequence[Order]) -> list[Order]:
    """Held orders with one for each order that they were drafted in."""
    whole: dict[str, Order] = {}
    for order in held:
        known = whole.get(order.order_key)
        whole[order.order_key] = _for_reasons(known, (*known.lines, *order.lines)) if known else order
    return list(whole.values())


def _for_reasons(held: Order, lines: tuple[OrderLine, ...]) -> Order:
    said = tuple(dict.fromkeys(line.notes[0] for line in lines))
    return held.changed(lines=lines, route=Route(kind=RouteKind.HELD, reasons=said), reason=" ".join(said))
