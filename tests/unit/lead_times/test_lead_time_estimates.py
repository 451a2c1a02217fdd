import csv
import time
from collections import defaultdict
from datetime import date, timedelta
from functools import cache

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from shared_data import shared_data

from tools.domain.catalogue import Offer
from tools.domain.orders import OpenOrderStatus, PurchaseOrder, Receipt
from tools.lead_times import LeadTimeDistribution, LeadTimeSettings, estimate_lead_times
from tools.lead_times.shapes import redistribute

AS_OF = date(2024, 12, 31)


def offer(item_id: str = "A", supplier_id: str = "S", days: float = 30, mode: str = "") -> Offer:
    return Offer(item_id=item_id, supplier_id=supplier_id, unit_price=1, lead_time_days=days, transport_mode=mode)


def receipts(days: list[int], item_id: str = "A", supplier_id: str = "S", ordered_ago: int = 200) -> list[Receipt]:
    ordered = AS_OF - timedelta(days=ordered_ago)
    return [
        Receipt(
            order_id=f"{item_id}{supplier_id}{place}",
            item_id=item_id,
            supplier_id=supplier_id,
            quantity=1,
            order_date=ordered,
            receipt_date=ordered + timedelta(days=lead),
        )
        for place, lead in enumerate(days)
    ]


def open_order(age: int, item_id: str = "A", status: OpenOrderStatus = OpenOrderStatus.CONFIRMED) -> PurchaseOrder:
    return PurchaseOrder(
        order_id=f"O{age}",
        item_id=item_id,
        supplier_id="S",
        quantity=1,
        order_date=AS_OF - timedelta(days=age),
        status=status,
    )


def estimated(offers: list[Offer], rows: list[Receipt], orders: list[PurchaseOrder]) -> LeadTimeDistribution:
    return estimate_lead_times(offers, rows, orders, AS_OF)[offers[0].offer_id]


def test_redistribution_to_the_right_equals_the_kaplan_meier_estimate() -> None:
    """Leukaemia remission, 6-MP arm (Freireich et al. 1963): survival .857, .807, .753, .690, .627, .538, .448."""
    times = [6, 6, 6, 6, 7, 9, 10, 10, 11, 13, 16, 17, 19, 20, 22, 23, 25, 32, 32, 34, 35]
    event = [1, 1, 1, 0, 1, 0, 1, 0, 0, 1, 1, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0]
    days, arrived = np.array(times, dtype=float), np.array(event, dtype=bool)
    weights = redistribute(days, np.ones(21) / 21, arrived)
    survival = [1 - weights[arrived & (days <= at)].sum() for at in (6, 7, 10, 13, 16, 22, 23)]
    assert survival == pytest.approx([0.857, 0.807, 0.753, 0.690, 0.627, 0.538, 0.448], abs=0.001)
    assert weights.sum() == pytest.approx(1)


def test_without_any_receipt_the_quote_stands_with_a_typical_spread() -> None:
    made = estimated([offer(days=40)], [], [])
    assert (made.source, made.observations) == ("quoted", 0)
    assert made.mean == pytest.approx(40, rel=0.03)
    assert made.sd / made.mean == pytest.approx(0.35, rel=0.15)
    assert made.fallback is not None


def test_an_unknown_mode_or_site_changes_nothing_when_there_is_only_one() -> None:
    seen = receipts([40, 50, 60])
    plain = estimated([offer()], seen, [])
    told = estimate_lead_times([offer()], seen, [], AS_OF, modes={r.order_id: "air" for r in seen})
    assert told[offer().offer_id].days.tolist() == plain.days.tolist()


def test_the_mode_of_each_order_tells_air_from_ocean() -> None:
    offers = [offer(days=50, mode="air"), offer(days=50, mode="ocean")]
    by_air, by_ocean = receipts([20] * 30, ordered_ago=200), receipts([100] * 30, ordered_ago=201)
    by_ocean = [r.model_copy(update={"order_id": f"O{r.order_id}"}) for r in by_ocean]
    modes = {r.order_id: "air" for r in by_air} | {r.order_id: "ocean" for r in by_ocean}
    made = estimate_lead_times(offers, by_air + by_ocean, [], AS_OF, modes=modes)
    air, ocean = (made[o.offer_id].quantile(0.5) for o in offers)
    assert air < 35 < 70 < ocean


def test_a_new_suppliers_offer_leans_on_the_family_of_its_item() -> None:
    slow = [r for n in range(12) for r in receipts([90] * 8, item_id=f"A{n}", supplier_id=f"S{n}")]
    fast = [r for n in range(12) for r in receipts([30] * 8, item_id=f"B{n}", supplier_id=f"T{n}")]
    offers = [offer("NEW", "U", 50), *(offer(f"A{n}", f"S{n}", 50) for n in range(12))]
    offers += [offer(f"B{n}", f"T{n}", 50) for n in range(12)]
    families = {f"A{n}": "slow" for n in range(12)} | {f"B{n}": "fast" for n in range(12)}
    means = [
        estimate_lead_times(offers, slow + fast, [], AS_OF, families=families | {"NEW": family})["NEW|U||MAIN"].mean
        for family in ("fast", "slow")
    ]
    assert means[0] < 0.8 * means[1]


def test_many_receipts_outweigh_the_quote() -> None:
    made = estimated([offer(days=30)], receipts([60] * 100), [])
    assert (made.source, made.observations, made.fallback) == ("offer", 100, None)
    assert made.mean == pytest.approx(60, rel=0.05)


def test_few_receipts_are_drawn_towards_the_supplier_and_more_receipts_less() -> None:
    others = receipts([60] * 50, item_id="B")
    offers = [offer(days=30), offer("B", days=30)]
    few = estimated(offers, receipts([30] * 2) + others, [])
    many = estimated(offers, receipts([30] * 60) + others, [])
    assert 30 < many.mean < few.mean < 60


def test_a_new_item_takes_the_suppliers_record_relative_to_the_quote() -> None:
    offers = [offer("N", days=100), offer("A", days=30)]
    made = estimated(offers, receipts([45] * 80), [])
    assert made.source == "supplier"
    assert made.mean == pytest.approx(150, rel=0.05)


def test_a_faster_mode_of_the_same_supplier_stays_faster() -> None:
    offers = [offer(days=20, mode="air"), offer(days=80, mode="ocean")]
    made = estimate_lead_times(offers, receipts([50] * 40), [], AS_OF)
    air, ocean = (made[o.offer_id].mean for o in offers)
    assert ocean == pytest.approx(4 * air, rel=0.03)


def test_old_open_orders_lengthen_the_estimate_and_young_ones_do_not() -> None:
    seen = receipts([20, 25, 30, 35, 40] * 4)
    plain = estimated([offer()], seen, []).mean
    assert estimated([offer()], seen, [open_order(5)] * 6).mean == pytest.approx(plain, rel=0.03)
    assert estimated([offer()], seen, [open_order(38)] * 6).mean > plain + 1
    assert estimated([offer()], seen, [open_order(90)] * 6).quantile(0.95) > 90


def test_drafts_and_closed_orders_say_nothing() -> None:
    seen = receipts([20, 30])
    silent = [
        open_order(90, status=s) for s in (OpenOrderStatus.DRAFT, OpenOrderStatus.CANCELLED, OpenOrderStatus.RECEIVED)
    ]
    assert estimated([offer()], seen, silent).mean == estimated([offer()], seen, []).mean


def test_recent_receipts_weigh_more_than_old_ones() -> None:
    old, new = receipts([60] * 20, ordered_ago=2500), receipts([20] * 20, ordered_ago=100)
    assert estimated([offer(days=40)], old + new, []).mean < 30


def test_receipts_after_the_date_or_beyond_the_bounds_are_left_out() -> None:
    late = receipts([60] * 5, ordered_ago=30)
    absurd = receipts([2000] * 5, ordered_ago=2100)
    assert estimated([offer()], late + absurd, []).observations == 0


@pytest.mark.parametrize("quoted", [0.0, -5.0, float("nan"), float("inf"), 1e300])
def test_an_offer_that_states_no_usable_time_takes_it_from_receipts_and_says_so(quoted: float) -> None:
    made = estimated([offer(days=quoted)], receipts([45, 50, 55] * 5), [])
    assert made.quantile(0.5) == pytest.approx(50, rel=0.05)
    assert made.fallback == "the offer states no usable lead time: taken from receipts"
    assert estimated([offer(days=quoted)], [], []).mean > 0


def test_one_receipt_moves_the_quote_only_part_of_the_way() -> None:
    made = estimated([offer(days=30)], receipts([90]), [])
    assert (made.source, made.observations) == ("offer", 1)
    assert 35 < made.quantile(0.5) < 80


def test_lines_of_one_order_count_for_less_than_as_many_orders() -> None:
    lines = [r.model_copy(update={"order_id": "ONE"}) for r in receipts([90] * 10)]
    assert estimated([offer()], lines, []).mean < estimated([offer()], receipts([90] * 10), []).mean


def test_no_offers_give_no_distributions() -> None:
    assert estimate_lead_times([], receipts([30]), [open_order(5)], AS_OF) == {}


@given(
    days=st.lists(st.integers(-400, 1200), max_size=15),
    ages=st.lists(st.integers(-30, 900), max_size=8),
    quoted=st.floats(),
)
def test_absurd_dates_and_quotes_still_give_a_distribution(days: list[int], ages: list[int], quoted: float) -> None:
    made = estimated([offer(days=quoted)], receipts(days, ordered_ago=600), [open_order(age) for age in ages])
    assert made.probabilities.sum() == pytest.approx(1)
    assert (made.days >= 0).all() and (made.days <= 730).all()


@given(
    days=st.lists(st.integers(0, 500), max_size=15),
    ages=st.lists(st.integers(0, 700), max_size=8),
    quoted=st.floats(0, 400),
)
def test_any_history_gives_whole_days_with_probabilities_that_sum_to_one(
    days: list[int], ages: list[int], quoted: float
) -> None:
    made = estimated([offer(days=quoted)], receipts(days, ordered_ago=600), [open_order(age) for age in ages])
    assert made.probabilities.sum() == pytest.approx(1)
    assert (made.probabilities > 0).all()
    assert made.days.dtype.kind == "i"
    assert (made.days >= 0).all()
    assert (np.diff(made.days) > 0).all()


@cache
def real_receipts() -> tuple[Receipt, ...]:
    with (shared_data("demo_rdc") / "receipts.csv").open(encoding="utf-8") as file:
        return tuple(
            Receipt(
                order_id=row["order_id"],
                item_id=row["item_id"],
                supplier_id=row["supplier_id"],
                site_id=row["site_id"],
                quantity=float(row["quantity"]),
                order_date=date.fromisoformat(row["order_date"]),
                receipt_date=date.fromisoformat(row["receipt_date"]),
            )
            for row in csv.DictReader(file)
        )


def known_offers(cut: date) -> list[Offer]:
    """One offer per item and supplier, quoted at the supplier's median lead time up to the cut, and no later."""
    seen: dict[str, list[int]] = defaultdict(list)
    for row in real_receipts():
        if row.receipt_date <= cut:
            seen[row.supplier_id].append(row.lead_time_days)
    lanes = sorted({(row.item_id, row.supplier_id) for row in real_receipts() if row.supplier_id in seen})
    return [offer(item, supplier, float(np.median(seen[supplier]))) for item, supplier in lanes]


def still_open(cut: date) -> list[PurchaseOrder]:
    return [
        PurchaseOrder(
            order_id=row.order_id,
            item_id=row.item_id,
            supplier_id=row.supplier_id,
            quantity=row.quantity,
            order_date=row.order_date,
        )
        for row in real_receipts()
        if row.order_date <= cut < row.receipt_date
    ]


def crps(made: LeadTimeDistribution, actual: float) -> float:
    days, p = made.days.astype(float), made.probabilities
    return float(p @ np.abs(days - actual) - 0.5 * p @ np.abs(days[:, None] - days) @ p)


@cache
def held_out(year: int) -> list[tuple[LeadTimeDistribution, float, int]]:
    """Estimate at the end of the year before, the quote then, and what came, for each receipt ordered in the year."""
    cut = date(year - 1, 12, 31)
    offers = known_offers(cut)
    made = estimate_lead_times(offers, real_receipts(), still_open(cut), cut)
    lanes = {(o.item_id, o.supplier_id): (made[o.offer_id], o.lead_time_days) for o in offers}
    came = [r for r in real_receipts() if r.order_date.year == year and (r.item_id, r.supplier_id) in lanes]
    return [(*lanes[r.item_id, r.supplier_id], r.lead_time_days) for r in came]


def covered(rows: list[tuple[LeadTimeDistribution, float, int]]) -> float:
    return float(np.mean([made.quantile(0.1) <= actual <= made.quantile(0.9) for made, _, actual in rows]))


def test_held_out_receipts_of_2013_fall_into_the_80_percent_interval() -> None:
    rows = held_out(2013)
    assert len(rows) > 80
    assert 0.75 <= covered(rows) <= 0.90


def test_the_interval_holds_up_over_years_in_which_lead_times_halved_and_doubled() -> None:
    assert 0.66 <= covered([row for year in (2010, 2011, 2012, 2013) for row in held_out(year)]) <= 0.88


@pytest.mark.parametrize("year", [2010, 2011, 2012, 2013])
def test_the_distribution_is_a_better_forecast_of_real_receipts_than_the_quote(year: int) -> None:
    rows = held_out(year)
    by_distribution = np.mean([crps(made, actual) for made, _, actual in rows])
    by_quote = np.mean([abs(quoted - actual) for _, quoted, actual in rows])
    assert by_distribution < 0.85 * by_quote


def test_a_steady_supplier_keeps_a_narrow_distribution() -> None:
    steady = estimated([offer()], receipts([29, 30, 31] * 20), [])
    unsteady = estimated([offer()], receipts([10, 30, 60] * 20), [])
    assert steady.sd < 5 < unsteady.sd


def test_estimating_a_thousand_real_receipts_takes_less_than_a_second() -> None:
    offers = known_offers(date(2013, 12, 31))
    started = time.perf_counter()
    estimate_lead_times(offers, real_receipts(), [], date(2013, 12, 31), LeadTimeSettings())
    assert time.perf_counter() - started < 1
