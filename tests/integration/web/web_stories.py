"""The story of a line of `web_stock`: the real engine on the item's stock, demand and its one source."""

from datetime import date
from functools import cache

import numpy as np
from integration.web.web_lead_times import stock_dataset
from integration.web.web_stock import Stocked

from graph.reading.line_stories import story_view
from graph.views.line_stories import LineStoryView
from tools.domain.datasets import Period
from tools.domain.snapshots import PlanningSnapshot, SourceTable
from tools.ordering import explain_line, plan_orders, reservation_values

PATHS, WEEKS = 64, 13


def snapshot_of(item: Stocked) -> PlanningSnapshot:
    """The item's problem: Poisson demand by the week, one source with a certain lead time."""
    rng = np.random.default_rng(7)
    lead = np.zeros((1, 8))
    lead[0, min(-(-item.lead_days // 7), 7)] = 1.0
    one = np.ones(1)
    sources = SourceTable(
        offer_ids=(f"OF-{item.item_id}",),
        item=np.zeros(1, dtype=np.int64),
        supplier=np.zeros(1, dtype=np.int64),
        unit_price=item.price * one,
        break_quantity=np.full((1, 1), np.inf),
        break_price=np.full((1, 1), np.nan),
        freight_per_unit=0.06 * item.price * one,
        fixed_order_cost=25.0 * one,
        moq=float(item.pack) * one,
        order_multiple=float(item.pack) * one,
        max_quantity=np.inf * one,
        capacity_per_period=np.inf * one,
        lead_time=lead,
        lead_time_days=float(item.lead_days) * one,
        expedite=np.zeros(1, dtype=np.bool_),
        preference=np.zeros(1, dtype=np.int64),
        orderable=np.ones(1, dtype=np.bool_),
    )
    demand = rng.poisson(item.daily * 7, (1, PATHS, WEEKS)).astype(float)
    return PlanningSnapshot(
        as_of=date(2026, 6, 30),
        period=Period.WEEK,
        currency="EUR",
        item_ids=(item.item_id,),
        site_ids=("MAIN",),
        supplier_ids=(item.supplier.split()[0].upper(),),
        on_hand=item.on_hand * one,
        arrivals=np.zeros(demand.shape),
        demand=demand,
        unit_value=item.price * one,
        holding_cost=0.004 * item.price * one,
        shortage_cost=0.4 * item.price * one,
        service_level=np.nan * one,
        storage_volume=0 * one,
        shelf_life_periods=np.inf * one,
        sources=sources,
    )


@cache
def _story(item: Stocked) -> LineStoryView:
    snapshot = snapshot_of(item)
    plan = plan_orders(snapshot)
    line = plan.lines[0]
    values = reservation_values(snapshot, plan, line.offer_id)
    return story_view("", explain_line(snapshot, plan, line.line_id), values, stock_dataset())


def story_of(item: Stocked, run_id: str, line_id: str) -> LineStoryView:
    return _story(item).model_copy(update={"run_id": run_id, "line_id": line_id})
