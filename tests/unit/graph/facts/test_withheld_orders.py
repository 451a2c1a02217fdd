"""Units that a person decided not to order, as orders of today."""

from sandbox_world import OFFER, OTHER, START, small_dataset

from graph.computation.desk import as_if_ordered
from tools.domain.orders import PurchaseOrder


def test_withheld_units_are_ordered_today_from_the_offer_that_was_turned_down() -> None:
    made = as_if_ordered(small_dataset(), [(OFFER.offer_id, 60.0), (OTHER.offer_id, 0.0)])
    expected = PurchaseOrder(
        order_id=f"withheld {OFFER.offer_id}", item_id="A", supplier_id="S1", quantity=60.0, order_date=START
    )
    assert made == (expected,)
