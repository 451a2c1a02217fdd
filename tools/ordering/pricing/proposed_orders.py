"""Expected cost of orders that somebody else chose: an earlier plan's, a person's, a point on a cost curve."""

from collections.abc import Sequence

import numpy as np

from tools.domain.arrays import FloatArray, IntArray
from tools.domain.snapshots import OrderingSettings, PlanningSnapshot
from tools.ordering.candidates.columns import Columns
from tools.ordering.limits.allocation import limits_may_bind
from tools.ordering.pricing.items import chosen_policy, cost_parts, take_items
from tools.ordering.problem.ordering_problem import OrderingProblem
from tools.ordering.stochastic.rollout import play

Order = Sequence[tuple[str, float]]
"""Offer ids with the units ordered from each now."""


def price_orders(
    snapshot: PlanningSnapshot, settings: OrderingSettings, items: IntArray, orders: Sequence[Sequence[Order]]
) -> FloatArray:
    """(N, C, 5) cost parts of C orders for each of the N item rows, as the engine prices its own candidates.

    `orders` holds C orders an item; an item with fewer has inf in the places left. Quantities are taken as they
    are: whether a source accepts them is not looked at. Unknown offers raise KeyError.
    """
    part = take_items(snapshot, items)
    columns = _columns(part, orders)
    problem = OrderingProblem.of(part, settings)
    policy, _ = chosen_policy(problem, shared=limits_may_bind(snapshot))
    return cost_parts(problem, policy, columns, play(problem, policy, columns))


def _columns(part: PlanningSnapshot, orders: Sequence[Sequence[Order]]) -> Columns:
    place = {offer_id: row for row, offer_id in enumerate(part.sources.offer_ids)}
    width = max((len(choices) for choices in orders), default=0)
    depth = max((len(order) for choices in orders for order in choices), default=1)
    shape = (part.n_items, max(width, 1), max(depth, 1))
    source, quantity = np.zeros(shape, dtype=np.int64), np.zeros(shape)
    valid = np.zeros(shape[:2], dtype=np.bool_)
    for item, choices in enumerate(orders):
        for column, order in enumerate(choices):
            valid[item, column] = True
            for position, (offer_id, units) in enumerate(order):
                source[item, column, position], quantity[item, column, position] = place[offer_id], units
    return Columns(source, quantity, valid, quantity)
