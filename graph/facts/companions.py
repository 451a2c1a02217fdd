"""Companions: what waits in one order with an item that is planned again.

Their order is proposed anew with it. Where nothing is known of a companion that its own plan did not know, its line is
asked for as it was planned, so that a question about some items costs what those items cost.
"""

from collections.abc import Collection, Iterable, Sequence

from pydantic import ValidationError

from graph.computation.desk import Scope
from graph.context import Context
from graph.facts import records
from graph.facts.earlier_runs import Knowledge
from policies.facts import LineFacts
from policies.gates import Gate, Verdict
from tools.domain.datasets import Dataset, grouped
from tools.domain.orders import ItemSite, Order, OrderStatus, Origin, Route, RouteKind

EXPOSED = "exposed"
"""Key of the artifact with the money at risk of each item of a run."""
COMPUTED_WITH = ("policy", "desk", "models", "code")
"""Versions of a run that its lines rest on."""
Place = tuple[str, str]
"""Supplier and site: what is ordered there goes into one order."""


def with_companions(
    wanted: Collection[str], scope: Scope, run_id: str, context: Context
) -> tuple[set[str], list[Order]]:
    """The items to plan, and what else waits in their orders and stays as it was planned.

    Planned again beside the wanted ones is every companion of which something is new, whose supply moved, of which not
    everything waits, or that a person edited, and all of an order of which too little for its supplier would be kept.
    `scope` has the dataset and the alerts of the run.
    """
    waiting = [order for order in context.operations.waiting_orders() if order.run_id != run_id]
    whole = with_waiting_companions(set(wanted), waiting)
    touched = [order for order in waiting if order.item_ids & whole]
    dataset = context.desk.dataset(scope.dataset_version)
    if dataset.limits or not set(wanted) & dataset.items.keys():
        return whole, []
    planned = set(wanted) | _not_as_planned(touched, scope, run_id, context)
    while small := _of_too_small_orders(_kept(touched, whole - planned), dataset):
        planned |= small
    return whole & planned, _kept(touched, whole - planned)


def with_waiting_companions(wanted: set[str], waiting: Sequence[Order]) -> set[str]:
    """The wanted items and those that share a waiting order with one of them, directly or in turn."""
    baskets = [order.item_ids for order in waiting]
    found, grown = set(wanted), True
    while grown:
        grown = False
        for basket in baskets:
            if found & basket and not basket <= found:
                found |= basket
                grown = True
    return found


def _not_as_planned(touched: Sequence[Order], scope: Scope, run_id: str, context: Context) -> set[str]:
    """Items of these orders whose lines may not be asked for again as they are.

    Of an item every site counts: whoever keeps its line owns all of its needs from then on.
    """
    operations, runs = context.operations, {order.run_id for order in touched}
    unmoved, knowledge = operations.unmoved_needs(runs), dict[str, Knowledge]()
    found = operations.items_beside_waiting(runs)
    places = _places_of({item_id for order in touched for item_id in order.item_ids}, scope, context)
    for order in touched:
        if not _may_be_kept(order):
            found |= order.item_ids
            continue
        if order.run_id not in knowledge:
            knowledge[order.run_id] = Knowledge.of(order.run_id, run_id, scope, context, COMPUTED_WITH)
        known = knowledge[order.run_id]
        found |= {
            item_id
            for item_id in order.item_ids - found
            if known.met_suppliers_of(item_id)
            or any(
                unmoved.get(place) != order.run_id or known.anything_new_of(place)
                for place in places[item_id] | {need for need in order.needs if need[0] == item_id}
            )
        }
    return found


def _places_of(items: Collection[str], scope: Scope, context: Context) -> dict[str, set[ItemSite]]:
    """The sites of each item, as a plan of it owns them."""
    dataset = context.desk.dataset(scope.dataset_version)
    found: dict[str, set[ItemSite]] = {item_id: set() for item_id in items}
    for place in dataset.on_hand:
        if place[0] in found:
            found[place[0]].add(place)
    for item_id in items:
        found[item_id] |= {(item_id, offer.site_id) for offer in dataset.offers_by_item.get(item_id, ())}
    return found


def _may_be_kept(order: Order) -> bool:
    """Whether it is as a plan made it, and the gates of this version know what it was judged on."""
    if order.status is not OrderStatus.WAITING or order.origin is not Origin.PLANNED or order.changes or order.edited:
        return False
    try:
        for line in order.lines:
            LineFacts.model_validate(line.facts)
    except ValidationError:  # another version of the program judged it
        return False
    return True


def _of_too_small_orders(kept: Sequence[Order], dataset: Dataset) -> set[str]:
    """Items of suppliers that would not take what is kept of their orders alone."""
    value = dict[str, float]()
    for order in kept:
        value[order.supplier_id] = value.get(order.supplier_id, 0.0) + order.value
    small = {name for name, worth in value.items() if worth < dataset.suppliers[name].min_order_value}
    return {item_id for order in kept if order.supplier_id in small for item_id in order.item_ids}


def _kept(touched: Sequence[Order], items: Collection[str]) -> list[Order]:
    """The orders with these items' lines alone, each of which says who planned it."""
    found = list[Order]()
    for order in touched:
        lines = [line for line in order.lines if line.item_id in items]
        if lines:
            told = (line.model_copy(update={"planned_by": line.planned_by or order.run_id}) for line in lines)
            found.append(order.changed(lines=tuple(told)))
    return found


def joined(drafted: Sequence[Order], kept: Sequence[Order], run_id: str) -> list[Order]:
    """The drafted orders with the kept lines of the same supplier and site, and orders of those that stand alone."""
    left = grouped(kept, _place)
    found = list[Order]()
    for order in drafted:
        own = () if order.changes else left.pop(_place(order), ())
        found.append(_with_lines(order, own) if own else order)
    for (supplier_id, site_id), own in sorted(left.items()):
        key = "/".join((run_id, supplier_id, site_id))
        alone = own[0].changed(
            order_key=key, run_id=run_id, status=OrderStatus.PROPOSED, route=Route(kind=RouteKind.PERSON)
        )
        found.append(_with_lines(alone.changed(reason=""), own[1:]))
    return found


def _place(order: Order) -> Place:
    return order.supplier_id, order.site_id


def _with_lines(order: Order, others: Sequence[Order]) -> Order:
    lines = (*order.lines, *(line for other in others for line in other.lines))
    names = (*order.proposed_by, *(name for other in others for name in other.proposed_by))
    return order.changed(
        lines=tuple(sorted(lines, key=lambda line: (line.item_id, line.offer_id, line.line_id))),
        proposed_by=tuple(dict.fromkeys(names)),
    )


def outlooks_of(kept: Sequence[Order], sites: Collection[str], context: Context) -> dict[str, records.Json]:
    """What was stored of the kept lines' items by the runs that published them, by item and site."""
    names = {
        (order.run_id, f"{item_id}@{site_id}") for order in kept for item_id in order.item_ids for site_id in sites
    }
    return {key: found for (_, key), found in context.warehouse.artifacts_named(names, "outlook").items()}


def risks_of(
    kept: Sequence[Order], context: Context
) -> tuple[list[records.Json], list[records.Json], dict[str, float]]:
    """Risks, exposures that were told and all money at risk by item, as the kept lines' runs assessed their items."""
    items = {run_id: {line.item_id for order in orders for line in order.lines} for run_id, orders in _by_run(kept)}
    risks, exposures, exposed = list[records.Json](), list[records.Json](), dict[str, float]()
    for run_id, own in items.items():
        stored = context.warehouse.artifact(run_id, "risk", "assessment") or {"risks": (), "exposures": ()}
        told = ({**risk, "item_ids": [item for item in risk["item_ids"] if item in own]} for risk in stored["risks"])
        risks += [risk for risk in told if risk["item_ids"]]
        exposures += [row for row in stored["exposures"] if row["item_id"] in own]
        money = context.warehouse.artifact(run_id, "risk", EXPOSED) or {}
        exposed |= {item_id: float(at_risk) for item_id, at_risk in money.items() if item_id in own}
    return risks, exposures, exposed


def _by_run(kept: Sequence[Order]) -> Iterable[tuple[str, Sequence[Order]]]:
    return grouped(kept, lambda order: order.run_id).items()


def drift_of(kept: Sequence[Order]) -> dict[Place, list[Verdict]]:
    """What the gate `drift` said of the orders that the kept lines come from, by supplier and site, each thing once."""
    found = dict[Place, dict[Verdict, None]]()
    for order in kept:
        said = (records.verdict_from(raw.model_dump()) for raw in order.route.verdicts if raw.gate == Gate.DRIFT.value)
        found.setdefault(_place(order), {}).update(dict.fromkeys(said))
    return {place: list(said) for place, said in found.items()}
