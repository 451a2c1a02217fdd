"""The ordering engine: what to order now, from whom, and why."""

from tools.ordering.affected import SnapshotDelta
from tools.ordering.building import build_snapshot
from tools.ordering.fingerprint import snapshot_hash
from tools.ordering.need import days_short_before, expected_volume
from tools.ordering.nervousness import Nervousness
from tools.ordering.options import combine, plan_options
from tools.ordering.plan import plan_orders
from tools.ordering.policy import InventoryStates, ItemModel, OrderPolicy, choose_policy
from tools.ordering.profiles import PROFILES, Profile
from tools.ordering.revision import PlanDiff, compare, replan
from tools.ordering.verification import verify

__all__ = [
    "PROFILES",
    "InventoryStates",
    "ItemModel",
    "Nervousness",
    "OrderPolicy",
    "PlanDiff",
    "Profile",
    "SnapshotDelta",
    "build_snapshot",
    "choose_policy",
    "combine",
    "compare",
    "days_short_before",
    "expected_volume",
    "plan_options",
    "plan_orders",
    "replan",
    "snapshot_hash",
    "verify",
]
