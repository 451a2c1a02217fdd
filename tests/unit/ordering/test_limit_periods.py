from datetime import date

import numpy as np
import pytest

from tools.domain.catalogue import LimitKind, PurchasingLimit
from tools.domain.datasets import Period
from tools.domain.snapshots import SharedLimits
from tools.ordering.problem.limit_periods import with_stated_limits

AS_OF = date(2026, 1, 4)


def read(*rows: PurchasingLimit, period: Period = Period.WEEK, given: SharedLimits | None = None) -> SharedLimits:
    return with_stated_limits(given or SharedLimits(), rows, ("S1", "S2"), as_of=AS_OF, period=period, horizon=4)


def test_without_rows_nothing_is_limited():
    assert not read().reach_later
    assert read().joint_order_cost.size == 0


def test_a_weekly_capacity_holds_from_its_first_to_its_last_day_and_for_its_supplier_only():
    row = PurchasingLimit(
        kind=LimitKind.CAPACITY, supplier_id="S2", from_date=date(2026, 1, 12), to_date=date(2026, 1, 25), amount=70.0
    )
    limits = read(row)
    assert limits.supplier_capacity_by_period.tolist() == [[np.inf] * 4, [np.inf, 70.0, 70.0, np.inf]]
    assert limits.reach_later


def test_the_smallest_of_two_rows_holds_day_by_day():
    usual = PurchasingLimit(kind=LimitKind.BUDGET, amount=700.0)
    less = PurchasingLimit(kind=LimitKind.BUDGET, from_date=date(2026, 1, 15), to_date=date(2026, 1, 18), amount=70.0)
    week = 3 * 100.0 + 4 * 10.0
    assert read(usual, less).budget_by_period.tolist() == pytest.approx([700.0, week, 700.0, 700.0])


def test_a_period_that_is_mostly_without_a_limit_has_none_and_one_mostly_limited_is_limited_throughout():
    late = PurchasingLimit(kind=LimitKind.BUDGET, from_date=date(2026, 1, 9), amount=70.0)
    early = PurchasingLimit(kind=LimitKind.BUDGET, from_date=date(2026, 1, 7), amount=70.0)
    assert read(late).budget_by_period.tolist() == pytest.approx([np.inf, 70.0, 70.0, 70.0])
    assert read(early).budget_by_period.tolist() == pytest.approx([70.0] * 4)


def test_amounts_follow_the_length_of_the_period_and_orders_are_whole():
    rows = (
        PurchasingLimit(kind=LimitKind.BUDGET, amount=70.0),
        PurchasingLimit(kind=LimitKind.ORDERS, amount=3.0),
    )
    daily = read(*rows, period=Period.DAY)
    assert daily.budget_by_period.tolist() == pytest.approx([10.0] * 4)
    assert daily.max_orders_by_period.tolist() == [1.0] * 4
    monthly = read(*rows, period=Period.MONTH)
    assert monthly.budget_by_period.sum() == pytest.approx(10.0 * round(4 * 365.25 / 12))


def test_shares_and_joint_costs_stand_by_supplier_and_what_is_given_already_is_left():
    rows = (
        PurchasingLimit(kind=LimitKind.SHARE, supplier_id="S2", amount=0.6),
        PurchasingLimit(kind=LimitKind.JOINT_COST, supplier_id="S1", amount=45.0),
    )
    limits = read(*rows)
    assert limits.supplier_max_share.tolist() == [1.0, 0.6]
    assert limits.joint_order_cost.tolist() == [45.0, 0.0]
    kept = read(*rows, given=SharedLimits(joint_order_cost=np.array([1.0, 2.0])))
    assert kept.joint_order_cost.tolist() == [1.0, 2.0]
