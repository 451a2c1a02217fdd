"""Decisions that stick: lines that a person rejected or edited stay so until something material changed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

import orjson

from graph.context import Context
from graph.desk import Scope
from graph.state import Json
from policies.material import Proposal, material_changes
from tools.domain.alerts import Alert
from tools.domain.datasets import Dataset
from tools.domain.decisions import Decisions, LineDecision, LineKey, LineRuling
from tools.domain.orders import Order, OrderLine, OrderStatus, Route, RouteKind
from tools.domain.snapshots import OrderPlan

HELD = "held"
TINY = 1e-6


@dataclass(frozen=True, slots=True)
class Withheld:
    """Units that people decided not to order, while the rest of their needs is planned as if they came."""

    units: Mapping[str, tuple[str, float]] = field(default_factory=dict[str, tuple[str, float]])
    """Offer and units, by the line that was decided."""
    grown: frozenset[str] = frozenset()
    """Decided lines of which more is needed even so: they are planned like any other."""

    @property
    def by_offer(self) -> tuple[tuple[str, float], ...]:
        """Offer id to units, as a scope has them."""
        found: dict[str, float] = {}
        for offer_id, units in self.units.values():
            found[offer_id] = found.get(offer_id, 0.0) + units
        return tuple(sorted((offer_id, units) for offer_id, units in found.items() if units > 0))


NOTHING_WITHHELD = Withheld()


@dataclass(frozen=True, slots=True)
class Decided:
    """A plan's orders as earlier decisions leave them."""

    proposed: list[Order]
    held: list[Order]
    """Orders of the lines that stay rejected."""
    withheld: Withheld
    """What they leave out. Where it is more or less than the plan was made with, it is to be made again."""

    @property
    def afresh(self) -> Withheld:
        """To plan with where a line outgrew its decision: what is held back of the others is found out again."""
        return Withheld(grown=self.withheld.grown)


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
    counted: "Withheld"
    """What of them counted as coming when the plan was made."""
    withheld: dict[str, tuple[str, float]] = field(default_factory=dict[str, tuple[str, float]])
    """Offer and units that this plan's held lines leave out, by decided line."""
    grown: set[str] = field(default_factory=set[str])
    """Decided lines of which more is needed even beside what counted as coming."""
    asked: dict[LineKey, list[float]] = field(default_factory=dict[LineKey, list[float]])
    """Units of every line under a decision."""
    given: dict[LineKey, list[float]] = field(default_factory=dict[LineKey, list[float]])
    """Units that those looked at so far got of it."""
    affected: dict[str, frozenset[str]] = field(default_factory=dict[str, frozenset[str]])
    """Items by alert id, worked out once each."""

    def share(self, made: LineDecision, line: OrderLine) -> float:
        """What a line gets of the decided units: the lines under a decision fill up in turn, the last gets the rest."""
        given = self.given.setdefault(made.key, [])
        left = made.decided_units - sum(given)
        return left if len(given) + 1 == len(self.asked[made.key]) else min(line.quantity, left)

    def new_alerts(self, made: LineDecision) -> list[str]:
        """Alerts about the line's item that were not known when it was decided."""
        fresh = [alert for alert in self.scope.typed_alerts if alert.alert_id not in made.alert_ids]
        return [f"{one.kind.value} at {one.node_id}" for one in fresh if made.item_id in self._affected(one)]

    def _affected(self, alert: Alert) -> frozenset[str]:
        if alert.alert_id not in self.affected:
            alone = orjson.dumps([alert.model_dump(mode="json")], option=orjson.OPT_SORT_KEYS).decode()
            found = self.context.desk.disruption(Scope(self.scope.dataset_version, self.scope.item_ids, alone))
            self.affected[alert.alert_id] = frozenset(found.affected_item_ids)
        return self.affected[alert.alert_id]


def with_decisions(
    drafted: Sequence[Order], plan: OrderPlan, scope: Scope, context: Context, counted: Withheld = NOTHING_WITHHELD
) -> Decided:
    """The orders as earlier decisions leave them, and orders of the lines that stay rejected.

    A line that was rejected comes back only when its quantity, price or risk of a stock-out changed materially, or
    when a new alert concerns it; it then says so, and asks a person. An edited one keeps its edited quantity until the
    end of its need, and is not asked for again once something of it was ordered.

    What is held back counts as coming when the rest is planned: else the other suppliers of a shared need are asked,
    plan after plan, for what nobody wanted. `counted` is what the plan was made with. More of a line alone brings it
    back only where more is needed even beside what counts as coming, for a larger lot may only be the cheaper one.
    """
    dataset = context.desk.dataset(scope.dataset_version)
    decisions = {key: made for key, made in context.operations.line_decisions().items() if made.holds_on(dataset.as_of)}
    if not decisions:
        return Decided(list(drafted), [], NOTHING_WITHHELD)
    bought = context.operations.bought_since(decisions.values())
    known = _Known(decisions, bought, plan, dataset, scope, context, _matched(drafted, decisions, counted), counted)
    for order in drafted:
        for line in order.lines:
            if (order.order_key, line.line_id) in known.matched:
                made = known.matched[order.order_key, line.line_id]
                known.asked.setdefault(made.key, []).append(line.quantity)
    proposed: list[Order] = []
    held: list[Order] = []
    for order in drafted:
        lines = [_as_decided(line, order, known) for line in order.lines]
        kept = tuple(line for line, _ in lines if not line.denied)
        stays = tuple(line for line, _ in lines if line.denied)
        editors = tuple(dict.fromkeys(made.actor for line, made in lines if made is not None and not line.denied))
        if kept:
            edited = {"edited": True, "proposed_by": (*order.proposed_by, *editors)} if editors else {}
            proposed.append(order.changed(lines=kept, **edited))
        if stays:
            held.append(_held_order(order, stays))
    units = known.withheld | {line_id: left for line_id, left in counted.units.items() if line_id not in known.grown}
    return Decided(proposed, held, Withheld(units, counted.grown | known.grown))


def joined(held: Sequence[Order], more: Sequence[Order]) -> list[Order]:
    """Orders of held lines, with those of a later plan that are not among them yet."""
    known = {(order.order_key, line.line_id) for order in held for line in order.lines}
    whole = {order.order_key: order for order in held}
    for order in more:
        fresh = tuple(line for line in order.lines if (order.order_key, line.line_id) not in known)
        if order.order_key not in whole:
            whole[order.order_key] = order
        elif fresh:
            before = whole[order.order_key]
            whole[order.order_key] = _for_reasons(before, (*before.lines, *fresh))
    return list(whole.values())


def _matched(drafted: Sequence[Order], decisions: Decisions, counted: Withheld) -> dict[tuple[str, str], LineDecision]:
    """The decision on each line; on the same need from a source that is not asked now, where there is none.

    Of such, one from the line's own supplier comes first. One whose units count as coming is about its own line only:
    its source is not asked because of that.
    """
    keys = {(o.order_key, line.line_id): _key(line, o) for o in drafted for line in o.lines}
    asked = set(keys.values())
    found: dict[tuple[str, str], LineDecision] = {}
    for place, key in keys.items():
        item_id, site_id, supplier_id, changes, _ = key
        others = [made for made in decisions.values() if made.key[:2] == (item_id, site_id) and made.key not in asked]
        others = [made for made in others if not made.changes and not changes and made.line_id not in counted.units]
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
    coming = known.counted.units.get(made.line_id)
    beside = 0.0 if coming is None else coming[1] + bought
    now = Proposal(asked + beside, line.list_price, risk_bp, bought, known.new_alerts(made))
    changed = material_changes(made, now, known.context.materiality)
    if made.supplier_id != order.supplier_id and made.decided_units == 0:
        changed = [f"it comes from {order.supplier_id} instead of {made.supplier_id}", *changed]
    rest = 0.0 if bought else known.share(made, line)
    offer = known.dataset.offer_of[line.offer_id]
    stays_out = bool(order.changes) or rest < max(offer.moq, TINY)
    doubtful = stays_out and _may_only_seem_more(made, now, changed, known)
    if changed and not doubtful:
        if coming is not None:
            known.grown.add(made.line_id)
        return _marked(line, f"Decided before: {made.in_words}. It comes back because {', and '.join(changed)}."), None
    if stays_out:
        known.given.setdefault(made.key, []).append(0.0)
        if not made.changes and made.line_id not in known.counted.grown:
            own = made.line_id.rpartition("#")[0]
            left = max(made.proposed_units - made.decided_units, 0.0)
            known.withheld[made.line_id] = (own if own in known.dataset.offer_of else line.offer_id, left)
        why = "no more than that is needed" if doubtful else "nothing material changed since"
        said = f"{made.in_words}; {why}, so {line.quantity:,.0f} are not proposed again."
        return line.model_copy(update={"denied": True, "notes": (said, *line.notes)}), made
    known.given[made.key].append(rest)
    said = f"{made.in_words}; nothing material changed since (the plan computes {asked:,.0f}), so it stays so."
    return _marked(line.at_quantity(rest, offer.unit_price_at(rest)), said), made


def _may_only_seem_more(made: LineDecision, now: Proposal, changed: Sequence[str], known: _Known) -> bool:
    """Whether nothing but the quantity rose, in a plan that did not count what was decided as coming."""
    if made.changes or made.line_id in known.counted.units or made.line_id in known.counted.grown:
        return False
    same = material_changes(made, replace(now, units=made.proposed_units), known.context.materiality)
    return now.units > made.proposed_units and len(changed) == 1 and not same


def _marked(line: OrderLine, said: str) -> OrderLine:
    return line.model_copy(update={"decided_before": said, "notes": (said, *line.notes)})


def _held_order(order: Order, lines: tuple[OrderLine, ...]) -> Order:
    held = order.changed(
        order_key=f"{order.order_key}/{HELD}",
        status=OrderStatus.GATED,
        proposed_by=(*order.proposed_by, "agent:planner"),
    )
    return _for_reasons(held, lines)


def _for_reasons(held: Order, lines: tuple[OrderLine, ...]) -> Order:
    said = tuple(dict.fromkeys(line.notes[0] for line in lines))
    return held.changed(lines=lines, route=Route(kind=RouteKind.HELD, reasons=said), reason=" ".join(said))


def decisions_on(
    order: Order,
    approval_id: str,
    ruling: LineRuling,
    units: Mapping[str, float],
    actor: str,
    reason: str,
    until: date | None,
    alerts: Sequence[Json],
) -> list[LineDecision]:
    """What a person's ruling on an order says of its lines. `units`: what is left of each line, by line id."""
    told = frozenset(str(alert["alert_id"]) for alert in alerts)
    return [
        LineDecision(
            approval_id=approval_id,
            order_key=order.order_key,
            line_id=line.line_id,
            item_id=line.item_id,
            site_id=order.site_id,
            supplier_id=order.supplier_id,
            ruling=ruling,
            proposed_units=line.quantity,
            decided_units=units.get(line.line_id, 0.0),
            list_price=line.list_price,
            stockout_bp=int(line.facts.get("stockout_bp", 0)),
            actor=actor,
            reason=reason,
            changes=order.changes,
            alert_ids=told,
            until=until,
        )
        for line in order.lines
    ]


def reconsidered(decisions: Sequence[LineDecision], actor: str, reason: str) -> list[LineDecision]:
    """The same lines, no longer held."""
    return [
        replace(made, ruling=LineRuling.RECONSIDER, actor=actor, reason=reason, until=None)
        for made in decisions
        if made.ruling in (LineRuling.EDIT, LineRuling.REJECT)
    ]
