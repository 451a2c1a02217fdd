"""Activating, shadowing and going back, for rule sets and for whole bundles."""

from datetime import UTC, datetime, timedelta

import pytest

from policies.facts import AutonomyFacts
from policies.gates import Effect, default_rules, load_rules
from policies.rollback import Guard, RestorePoint, VersionBundle, breaches, point_to_restore
from policies.versions import PolicyVersions, activate, compare, promote, roll_back, watch
from tools.domain.errors import Conflict, NotFound

FIRST = default_rules()
STRICTER = load_rules(FIRST.text.replace("auto_order_value_cents: 1000000", "auto_order_value_cents: 100000"))
GUARDS = [Guard("fill_rate", True, 200), Guard("stock_value", False, 1000, floor=50.0)]
START = datetime(2026, 1, 1, tzinfo=UTC)


def order(window_value_cents: int) -> AutonomyFacts:
    return AutonomyFacts(
        order_value_cents=window_value_cents,
        window_value_cents=window_value_cents,
        waiting_value_cents=0,
        autonomy="auto",
        proposed_by_agent=True,
        edited=False,
        negotiated=False,
        halted=False,
    )


def point(day: int, policies: str, **kpis: float) -> RestorePoint:
    return RestorePoint(f"p{day}", START + timedelta(days=day), VersionBundle("d", "m", "c", policies, "x"), kpis)


def test_rolling_back_restores_the_rule_set_that_was_active_before() -> None:
    changed = activate(PolicyVersions(FIRST), STRICTER)
    assert changed.active is STRICTER
    assert roll_back(changed) == PolicyVersions(FIRST)
    assert roll_back(changed, FIRST.version).active is FIRST


def test_activating_the_active_rule_set_changes_nothing() -> None:
    assert activate(PolicyVersions(FIRST), load_rules(FIRST.text)) == PolicyVersions(FIRST)


def test_going_back_to_an_unknown_version_is_refused() -> None:
    with pytest.raises(NotFound):
        roll_back(PolicyVersions(FIRST))
    with pytest.raises(NotFound):
        roll_back(activate(PolicyVersions(FIRST), STRICTER), "nonsense")


def test_a_shadow_decides_nothing_until_it_is_promoted() -> None:
    watching = watch(PolicyVersions(FIRST), STRICTER)
    assert watching.active is FIRST
    promoted = promote(watching)
    assert (promoted.active, promoted.shadow, promoted.past) == (STRICTER, None, (FIRST,))
    with pytest.raises(NotFound):
        promote(promoted)
    with pytest.raises(Conflict):
        watch(promoted, STRICTER)


def test_a_shadow_report_names_the_decisions_that_would_change_and_why() -> None:
    report = compare([order(90_000), order(300_000), order(1_900_000)], FIRST, STRICTER)
    assert report.decisions == 3
    (changed,) = report.differences
    assert (changed.place, changed.active, changed.shadow) == (1, Effect.ALLOW, Effect.REQUIRE_APPROVAL)
    assert changed.rules == ("auto_order_value",)
    assert report.counts == {
        "allow->allow": 1,
        "allow->require_approval": 1,
        "require_approval->require_approval": 1,
    }


@pytest.mark.parametrize(
    ("fill_rate", "stock_value", "broken"),
    [
        (0.95, 1000.0, []),
        (0.932, 1099.0, []),
        (0.99, 500.0, []),
        (0.93, 1000.0, ["fill_rate"]),
        (0.95, 1101.0, ["stock_value"]),
        (float("nan"), 1000.0, ["fill_rate"]),
        (None, 1000.0, ["fill_rate"]),
    ],
)
def test_a_figure_worse_than_tolerated_or_gone_is_a_breach(
    fill_rate: float | None, stock_value: float, broken: list[str]
) -> None:
    now = {"stock_value": stock_value} | ({} if fill_rate is None else {"fill_rate": fill_rate})
    assert [breach.kpi for breach in breaches({"fill_rate": 0.95, "stock_value": 1000.0}, now, GUARDS)] == broken


def test_the_floor_keeps_small_figures_from_raising_an_alarm() -> None:
    assert breaches({"stock_value": 10.0}, {"stock_value": 59.0}, GUARDS) == ()
    (breach,) = breaches({"stock_value": 10.0}, {"stock_value": 61.0}, GUARDS)
    assert breach.reason == "stock_value went from 10 to 61; 50 is tolerated."


def test_the_latest_better_point_with_other_versions_is_restored() -> None:
    points = [point(1, "a", fill_rate=0.95), point(2, "b", fill_rate=0.96), point(3, "c", fill_rate=0.80)]
    assert point_to_restore(points, GUARDS).point_id == "p2"
    same_versions = [point(1, "a", fill_rate=0.95), point(2, "c", fill_rate=0.96), points[2]]
    assert point_to_restore(same_versions, GUARDS).point_id == "p1"


def test_nothing_is_rolled_back_without_a_worse_figure() -> None:
    with pytest.raises(NotFound):
        point_to_restore([point(1, "a", fill_rate=0.95), point(2, "b", fill_rate=0.95)], GUARDS)
    with pytest.raises(NotFound):
        point_to_restore([], GUARDS)


def test_a_bundle_names_the_parts_that_changed() -> None:
    before = VersionBundle("d1", "m", "c", "p1", "x")
    assert VersionBundle("d2", "m", "c", "p2", "x").changed_from(before) == ("dataset", "policies")
