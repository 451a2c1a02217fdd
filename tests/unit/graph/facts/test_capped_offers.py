"""What the gates left of an offer: less of it, or nothing, whatever its MOQ."""

from dataclasses import replace

import numpy as np
import pytest

from benchmarks.cases.planning_worlds import random_snapshot
from graph.computation.desk import adjusted


@pytest.mark.parametrize(("moq", "cap", "orderable"), [(0.0, 0.0, False), (0.0, 7.0, True), (8.0, 7.0, False)])
def test_an_offer_of_which_nothing_or_less_than_its_moq_is_left_is_barred(
    moq: float, cap: float, orderable: bool
) -> None:
    snapshot = random_snapshot(3, seed=1)
    snapshot = replace(snapshot, sources=replace(snapshot.sources, moq=np.full(snapshot.sources.moq.shape, moq)))
    capped = adjusted(snapshot, {snapshot.sources.offer_ids[1]: cap}).sources
    assert capped.orderable.tolist() == [orderable if row == 1 else True for row in range(capped.orderable.size)]
    assert not orderable or capped.max_quantity[1] == cap
