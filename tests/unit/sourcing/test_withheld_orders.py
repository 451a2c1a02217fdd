"""A planning problem in which units that a person decided not to order count as if they were ordered today."""

from dataclasses import replace
from datetime import timedelta

from sandbox_world import OFFER, OTHER, START, small_dataset

from benchmarks.planning_worlds import random_snapshot
from graph.desk import as_if_ordered, said_of_withheld
from tools.domain.orders import PurchaseOrder

OPEN = PurchaseOrder(order_id="PO-1", item_id="A", supplier_id="S1", quantity=40, order_date=START - timedelta(days=9))


def test_withheld_units_are_ordered_today_from_the_offer_that_was_turned_down() -> None:
    made = as_if_ordered(small_dataset(), [(OFFER.offer_id, 60.0), (OTHER.offer_id, 0.0)])
    expected = PurchaseOrder(
        order_id=f"withheld {OFFER.offer_id}", item_id="A", supplier_id="S1", quantity=60.0, order_date=START
    )
    assert made == (expected,)


def test_withheld_units_are_no_order_that_could_be_changed_and_the_plan_says_that_they_count() -> None:
    withheld = as_if_ordered(small_dataset(), [(OFFER.offer_id, 1060.0)])
    snapshot = replace(random_snapshot(2, seed=1), open_orders=(OPEN, *withheld), item_notes={"A": ("as is",)})
    told = said_of_withheld(snapshot, withheld)
    assert told.open_orders == (OPEN,)
    said = "1,060 from S1 count as if they came: a person decided not to order them."
    assert told.item_notes == {"A": ("as is", said)}
