"""The ordering engine: what to order now, from whom, and why."""

from tools.ordering.explaining.line_story import LineStory, curve_in_words, explain_line, extra_cost_of_switching
from tools.ordering.explaining.reservation import ReservationValues, reservation_values
from tools.ordering.explaining.walk_away_prices import reservation_prices
from tools.ordering.limits.need import days_short_before, expected_volume
from tools.ordering.nervousness import Nervousness
from tools.ordering.options import Catalogue, combine, plan_options
from tools.ordering.plan import plan_orders
from tools.ordering.problem.affected import SnapshotDelta
from tools.ordering.problem.fingerprint import snapshot_hash
from tools.ordering.problem.scenarios import Scenario, with_scenarios
from tools.ordering.problem.snapshot import build_snapshot
from tools.ordering.profiles import PROFILES, Profile
from tools.ordering.replenishment import InventoryStates, ItemModel, OrderPolicy, choose_policy
from tools.ordering.revision import PlanDiff, compare, replan
from tools.ordering.verification.rules import verify

__all__ = [
    "PROFILES",
    "Catalogue",
    "InventoryStates",
    "ItemModel",
    "LineStory",
    "Nervousness",
    "OrderPolicy",
    "PlanDiff",
    "Profile",
    "ReservationValues",
    "Scenario",
    "SnapshotDelta",
    "build_snapshot",
    "choose_policy",
    "combine",
    "compare",
    "curve_in_words",
    "days_short_before",
    "expected_volume",
    "explain_line",
    "extra_cost_of_switching",
    "plan_options",
    "plan_orders",
    "replan",
    "reservation_prices",
    "reservation_values",
    "snapshot_hash",
    "verify",
    "with_scenarios",
]
