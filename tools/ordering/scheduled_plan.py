"""Plans under limits that reach later periods: the schedule's first orders are placed, its later ones intended."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from tools.domain.arrays import BoolArray, FloatArray, IntArray
from tools.domain.orders import Intent
from tools.domain.plans import BindingLimit, CostParts, Explanation, ItemOutlook, OrderPlan, PlanLine
from tools.domain.snapshots import OrderingSettings, PlanningSnapshot
from tools.ordering.explaining.conflicts import scheduled_conflicts
from tools.ordering.explaining.explanation import later_date, line_of
from tools.ordering.explaining.plan_lines import sort_lines
from tools.ordering.limits.limit_words import IN_PERIOD, binding_limit
from tools.ordering.problem.fingerprint import snapshot_hash
from tools.ordering.problem.levels import ItemCosts, SourceLevels, cumulative_demand, item_costs, source_levels
from tools.ordering.problem.open_orders import excess_order_lines
from tools.ordering.problem.quantities import TINY
from tools.ordering.schedules.column_generation.alternatives import extra_cost_without
from tools.ordering.schedules.problem.expected_cost import cumulative_packs, order_price
from tools.ordering.schedules.problem.from_snapshot import schedule_problem
from tools.ordering.schedules.problem.packs import PackMap
from tools.ordering.schedules.problem.statement import ScheduleOrders, ScheduleOutcome, ScheduleProblem
from tools.ordering.schedules.solve import steady_schedules

ENOUGH = 1e-4
"""Gap to the bound at which the search ends."""
PROOF_SECONDS = 1.0
"""Longest proof that a schedule of few items is best."""
WORTH = 1e-9
"""Money per unit below which a limit does not bind."""
POLICY = "schedule within the limits of each period"
FORMULA = (
    "of all schedules that keep every period's limits, the one with the least expected purchase + freight + ordering +"
    " holding + shortage cost; every order of the horizon is fixed now, and this is the first one due"
)


def plan_by_schedule(snapshot: PlanningSnapshot, settings: OrderingSettings, *, always: bool) -> OrderPlan | None:
    """The plan of the best schedule found; nothing where no limit of a later period is worth anything, unless `always`.

    Then each order may be decided when its time comes, and the policy's plan is the better one: it can react.
    """
    problem, packing = schedule_problem(snapshot, settings)
    outcome = steady_schedules(
        problem,
        proof_seconds=min(settings.time_limit_seconds, PROOF_SECONDS),
        gap_target=ENOUGH,
        seed=settings.seed,
    )
    if not always and not _later_limit_binds(outcome):
        return None
    return _Writer(snapshot, settings, problem, packing, outcome).plan()


def _later_limit_binds(outcome: ScheduleOutcome) -> bool:
    """Whether one more unit of a limit of a later period would save anything."""
    prices = outcome.prices
    tables = (prices.capacity[:, 1:], prices.budget[1:], prices.max_orders[1:])
    return bool(outcome.over) or any(bool((table > WORTH).any()) for table in tables)


@dataclass(frozen=True)
class _Writer:
    """Lines, outlooks and totals of a schedule."""

    snapshot: PlanningSnapshot
    settings: OrderingSettings
    problem: ScheduleProblem
    packing: PackMap
    outcome: ScheduleOutcome

    @cached_property
    def costs(self) -> ItemCosts:
        return item_costs(self.snapshot, self.settings)

    @cached_property
    def levels(self) -> SourceLevels:
        return source_levels(self.snapshot, self.settings, self.costs, cumulative_demand(self.snapshot))

    @property
    def orders(self) -> ScheduleOrders:
        return self.outcome.orders

    @cached_property
    def units(self) -> FloatArray:
        """Units of each order."""
        return self.packing.ordered_units(self.orders)

    @cached_property
    def rows(self) -> IntArray:
        """Source row in the snapshot of each order."""
        return self.packing.source_row[self.orders.source]

    def plan(self) -> OrderPlan:
        """The whole plan."""
        lines = [self._line(int(index)) for index in np.flatnonzero(self.units > TINY)]
        parts = self._parts()
        now = [line for line in lines if line.period == 0]
        return OrderPlan(
            snapshot_hash=snapshot_hash(self.snapshot),
            settings=self.settings,
            currency=self.snapshot.currency,
            lines=sort_lines([*now, *excess_order_lines(self.snapshot, self.settings)]),
            intended=sort_lines([line for line in lines if line.period > 0]),
            outlooks=tuple(self._outlook(item, parts[item]) for item in range(self.snapshot.n_items)),
            cost=CostParts(*(float(total) for total in parts.sum(axis=0))),
            lower_bound=min(self.outcome.lower_bound + float(self._own_stock.sum()), float(parts.sum())),
            conflicts=(
                *self.outcome.over,
                *scheduled_conflicts(self.snapshot, self.settings, self.outcome.prices, parts),
            ),
            scheduled=True,
        )

    @cached_property
    def _net(self) -> FloatArray:
        """(N, T, Q) packs in stock at the end of each period, negative when short, in each equally likely case."""
        return cumulative_packs(self.problem, self.orders)[:, :, None] - self.problem.requirement

    @cached_property
    def _own_stock(self) -> FloatArray:
        """(N,) value of stock and open orders at the end value: what the demand uses of it is not bought, but spent."""
        coming = self.snapshot.on_hand + self.snapshot.arrivals.sum(axis=2).mean(axis=1)
        return self.problem.end_value * coming / self.packing.units_per_pack

    def _parts(self) -> FloatArray:
        """(N, 5) expected cost by part of what the horizon's demand uses, as plans of policies count it.

        What is in stock at the end counts against the purchase, what was there at the start for it. Holding includes
        the safety stock that the lead times of the chosen sources ask for.
        """
        problem, orders = self.problem, self.orders
        item = problem.source_item[orders.source]
        net = self._net
        end = net[:, -1].mean(axis=1)
        parts = np.zeros((problem.n_items, 5))
        np.add.at(parts[:, 0], item, orders.packs * order_price(problem, orders))
        sources = self.snapshot.sources
        freight = sources.freight_per_unit[self.rows] * self.packing.ordered_per_pack[orders.source]
        np.add.at(parts[:, 1], item, orders.packs * freight)
        np.add.at(parts[:, 2], item, problem.fixed_cost[orders.source])
        parts[:, 0] += self._own_stock - problem.end_value * end
        parts[:, 3] = problem.holding * np.maximum(net, 0.0).mean(axis=2).sum(axis=1)
        np.add.at(parts[:, 3], item, orders.packs * (problem.freight[orders.source] - freight))
        parts[:, 4] = problem.shortage * np.maximum(-net, 0.0).mean(axis=2).sum(axis=1)
        return parts

    def _line(self, index: int) -> PlanLine:
        row, period = int(self.rows[index]), int(self.orders.period[index])
        quantity = float(self.units[index])
        return line_of(
            self.snapshot,
            row,
            quantity,
            period=period,
            intent=Intent.EXPEDITE if self.snapshot.sources.expedite[row] else Intent.PLACE,
            explanation=self._explanation(index, row, quantity),
            binding=self._binding(index, period),
        )

    def _explanation(self, index: int, row: int, quantity: float) -> Explanation:
        period = int(self.orders.period[index])
        item, levels = int(self.snapshot.sources.item[row]), self.levels
        figures = {
            "on_hand": float(self.snapshot.on_hand[item]),
            "inventory_position": float(levels.position[row]),
            "lead_time_periods_mean": float(levels.mean_lead[row]),
            "lead_time_demand_mean": float(levels.window_mean[row]),
            "quantile": float(self.costs.ratio[item]),
            "reorder_point": float(levels.level[row]),
            "safety_stock": float(levels.level[row] - levels.window_mean[row]),
            "economic_order_quantity": float(levels.eoq[row]),
            "quantity": quantity,
            "units_per_pack": quantity / float(self.orders.packs[index]),
            "expected_cost": float(self.outcome.item_cost[item]),
        }
        if period == 0:
            figures["extra_cost_of_next_best_source"] = self._cost_without[int(self.orders.source[index])]
        notes = self.snapshot.item_notes.get(self.snapshot.item_ids[item], ())
        return Explanation(POLICY, FORMULA, figures, tuple(notes))

    @cached_property
    def _cost_without(self) -> dict[int, float]:
        """Source row of an order placed now to what its item would cost more without it, at the limits' prices."""
        rows = np.unique(self.orders.source[self.orders.period == 0])
        return extra_cost_without(self.problem, self.outcome.prices, rows)

    def _binding(self, index: int, period: int) -> tuple[BindingLimit, ...]:
        """Limits that the order runs into, with the money that one more unit of each would save."""
        problem, prices = self.problem, self.outcome.prices
        supplier = int(problem.source_supplier[self.orders.source[index]])
        stored = period + int(problem.lead[self.orders.source[index]])
        name = f"capacity of {self.snapshot.supplier_ids[supplier]}"
        found = [
            (name, "units", period, problem.capacity[supplier], prices.capacity[supplier]),
            ("budget", self.snapshot.currency, period, problem.budget, prices.budget),
            ("number of orders", "orders", period, problem.max_orders, prices.max_orders),
        ]
        if stored < problem.horizon:
            found.append(("storage", "volume", stored, problem.storage, prices.storage))
        return tuple(
            binding_limit(
                self.snapshot,
                limited if at == 0 else f"{limited}{IN_PERIOD}{at}",
                float(limit[at]),
                float(price[at]),
                unit,
            )
            for limited, unit, at, limit, price in found
            if price[at] > WORTH
        )

    def _outlook(self, item: int, parts: FloatArray) -> ItemOutlook:
        """Service and stock of the schedule's own cases: an order can react to what is known when it is placed."""
        snapshot, sources = self.snapshot, self.snapshot.sources
        mine = np.flatnonzero(self._item_of_order == item)
        net = self._net[item] * self.packing.units_per_pack[item]
        source = self._reference(item, mine)
        reach = snapshot.horizon if source is None else int(np.ceil(self.levels.mean_lead[source]))
        reach = min(reach + self.settings.review_periods, snapshot.horizon)
        short = np.maximum(-net, 0.0).mean(axis=1)
        missed = np.maximum(np.diff(short, prepend=max(-float(snapshot.on_hand[item]), 0.0)), 0.0).sum()
        demand = float(snapshot.demand[item].mean(axis=0).sum())
        position = float(snapshot.on_hand[item] + snapshot.arrivals[item].sum(axis=1).mean())
        daily = float(self.costs.mean_demand[item]) / snapshot.period.days
        level = 0.0 if source is None else float(self.levels.level[source])
        return ItemOutlook(
            item_id=snapshot.item_ids[item],
            site_id=snapshot.site_ids[item],
            inventory_position=position,
            reorder_point=level,
            order_up_to=level,
            safety_stock=0.0 if source is None else level - float(self.levels.window_mean[source]),
            cost=CostParts(*(float(part) for part in parts)),
            stockout_probability=float((net[:reach] < -TINY).mean(axis=1).max()),
            fill_rate=float(np.clip(1 - missed / max(demand, 1e-12), 0.0, 1.0)),
            projected_stock=np.quantile(net, [0.1, 0.5, 0.9], axis=1, method="inverted_cdf"),
            days_of_cover=min(max(position, 0.0) / max(daily, 1e-12), 99_999.0),
            policy=POLICY,
            reason=self._reason(mine, None if source is None else sources.offer_ids[source]),
            ready_rate_later=float((net[min(reach, snapshot.horizon - 1) :] >= -TINY).mean()),
        )

    @cached_property
    def _item_of_order(self) -> IntArray:
        return self.problem.source_item[self.orders.source]

    def _reference(self, item: int, mine: IntArray) -> int | None:
        """The source that the item orders most from over the horizon, else the cheapest usable one."""
        if mine.size:
            return int(self.rows[mine[np.argmax(self.units[mine])]])
        usable: BoolArray = (self.snapshot.sources.item == item) & self.levels.usable
        rows = np.flatnonzero(usable)
        return int(rows[np.argmin(self.levels.score[rows])]) if rows.size else None

    def _reason(self, mine: IntArray, offer_id: str | None) -> str:
        if offer_id is None:
            return "No source may be ordered from in this horizon."
        now = [i for i in mine.tolist() if self.orders.period[i] == 0]
        later = sorted(int(self.orders.period[i]) for i in mine.tolist() if self.orders.period[i] > 0)
        following = "no later order is intended"
        if later:
            following = f"the next order follows on {later_date(self.snapshot, later[0])}"
        if not now:
            return f"Order nothing now: within the limits of each period {following}."
        units = sum(float(self.units[i]) for i in now)
        return f"Order {units:,.0f} now, since the limits of later periods leave no cheaper time; {following}."
