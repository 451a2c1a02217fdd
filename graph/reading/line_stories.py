"""The story of a line of a stored run: its plan computed again from its versions, then what else could be ordered."""

from graph.computation.desk import Desk, DeskSettings
from graph.computation.estimate_desk import EstimateDesk
from graph.facts import records
from graph.reading.naming import in_plain_words
from graph.views.line_stories import CurvePointView, LineStoryView, TermView, TextbookView
from store.operations import Operations
from store.warehouse import Warehouse
from tools.domain.datasets import Dataset
from tools.ordering import LineStory, ReservationValues, curve_in_words, explain_line, reservation_values
from tools.ordering.explaining.line_story import CurvePoint


def line_story(
    run_id: str, line_id: str, installed: EstimateDesk, warehouse: Warehouse, operations: Operations
) -> LineStoryView:
    """The story of a line that a run's plan places. NotFound, and BadInput for a line that changes an open order."""
    run_id = _planner(run_id, line_id, operations)
    scope = records.stored_scope(run_id, warehouse)
    stored = warehouse.artifact(run_id, "plan", "choice") or {"choices": {}}
    desk = _desk(run_id, installed, warehouse, operations)
    snapshot, plan = desk.snapshot(scope), desk.plan(scope, stored["choices"])
    story = explain_line(snapshot, plan, line_id)
    values = reservation_values(snapshot, plan, story.line.offer_id)
    return story_view(run_id, story, values, desk.dataset(scope.dataset_version))


def _planner(run_id: str, line_id: str, operations: Operations) -> str:
    """The run that computed a run's line."""
    lines = (line for order in operations.orders_with_line(run_id, line_id) for line in order.lines)
    return next((line.planned_by for line in lines if line.line_id == line_id and line.planned_by), run_id)


def _desk(run_id: str, installed: EstimateDesk, warehouse: Warehouse, operations: Operations) -> Desk:
    """The installation's desk, or one with the settings of the run where they were others."""
    settings = DeskSettings.of(operations.run(run_id).versions["desk"])
    if isinstance(installed, Desk) and settings == installed.settings:
        return installed
    return Desk(warehouse, settings)


def story_view(run_id: str, story: LineStory, values: ReservationValues, dataset: Dataset) -> LineStoryView:
    """A story as the doors show it."""
    line = story.line
    bands = [tuple(float(units) for units in row) for row in story.stock_quantiles]
    return LineStoryView(
        run_id=run_id,
        line_id=line.line_id,
        item_id=line.item_id,
        offer_id=line.offer_id,
        currency=story.currency,
        quantity=line.quantity,
        curve=tuple(_point(point, planned=point.quantity == line.quantity) for point in story.curve),
        curve_in_words=curve_in_words(story),
        next_best=in_plain_words(story.next_best.words, dataset),
        next_best_extra=story.next_best.extra_cost,
        limits=tuple(_named(limit, dataset) for limit in story.limits_in_words),
        stockout_probability=story.stockout_probability,
        stockout_probability_without=story.stockout_probability_without,
        next_opportunity=story.next_opportunity,
        dates=story.stock_dates,
        stock_p05=bands[0],
        stock_p25=bands[1],
        stock_p50=bands[2],
        stock_p75=bands[3],
        stock_p95=bands[4],
        textbook=tuple(
            TextbookView(name=one.name, textbook=one.textbook, ours=one.ours, why=one.why) for one in story.textbook
        ),
        unit_price=line.unit_price,
        reservation_price=values.reservation_price,
        reservation_in_words=reservation_in_words(values, line.unit_price),
        terms=tuple(terms_of(values, dataset, line.item_id)),
    )


def _named(text: str, dataset: Dataset) -> str:
    """A sentence about a limit with the supplier's name for its id."""
    for supplier_id, supplier in dataset.suppliers.items():
        if supplier.name and f"capacity of {supplier_id} " in text:
            return text.replace(f"capacity of {supplier_id} ", f"capacity of {supplier.name} ")
    return text


def _point(point: CurvePoint, *, planned: bool) -> CurvePointView:
    cost = point.cost
    return CurvePointView(
        quantity=point.quantity,
        total=point.total,
        purchase=cost.purchase,
        freight=cost.freight,
        ordering=cost.ordering,
        holding=cost.holding,
        shortage=cost.shortage,
        limits=point.limit_value,
        planned=planned,
    )


def reservation_in_words(values: ReservationValues, listed: float) -> str:
    """Up to which unit price the line holds against the next best."""
    price, currency = values.reservation_price, values.currency
    if price < listed:
        below = f"Listed at {listed:,.4g} {currency} a unit, this line is above its reservation price of {price:,.4g}"
        return f"{below}: the next best, weighed afresh, costs a little less."
    return (
        f"Up to {price:,.4g} {currency} a unit this line still costs no more than the next best; it is listed at"
        f" {listed:,.4g}."
    )


def terms_of(values: ReservationValues, dataset: Dataset, item_id: str) -> list[TermView]:
    """Better terms in words, each with what it saves."""
    item = dataset.items.get(item_id)
    uom = (item.uom if item else "") or "units"
    found = [
        TermView(term="price", words=f"{one.change:g} % off the unit price", value=one.value)
        for one in values.lower_price
    ]
    found += [
        TermView(term="date", words=f"arrival {_periods(one.change)} earlier", value=one.value)
        for one in values.earlier
    ]
    found += [
        TermView(term="moq", words=f"MOQ of {one.change:,.0f} {uom}" if one.change else "no MOQ", value=one.value)
        for one in values.smaller_moq
    ]
    found += [
        TermView(
            term="maximum",
            words="no largest order" if one.change == float("inf") else f"up to {one.change:,.0f} {uom} an order",
            value=one.value,
        )
        for one in values.larger_maximum
    ]
    return found


def _periods(number: float) -> str:
    return "one period" if number == 1 else f"{number:g} periods"
