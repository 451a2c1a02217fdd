"""Activating, shadowing and going back, for rule sets and for whole bundles."""

from datetime import UTC, datetime, timedelta

import pytest

from policies.facts import AutonomyFacts
from policies.gates import Effect, RuleSet, default_rules, load_rules
from policies.rollback import Breach, Guard, RestorePoint, VersionBundle, breaches, point_to_restore
from policies.versions import (
    Difference,
    PolicyVersions,
    ShadowReport,
    activate,
    compare,
    promote,
    roll_back,
    watch,
)
from tools.domain.errors import Conflict, NotFound

FIRST = default_rules()
STRICTER = load_rules(FIRST.text.replace("auto_order_value_cents: 1000000", "auto_order_value_cents: 100000"))
LAXER = load_rules(FIRST.text.replace("auto_order_value_cents: 1000000", "auto_order_value_cents: 2000000"))
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


@pytest.mark.parametrize(
    ("past", "version", "said"),
    [
        ((), None, "No rule set was active before this one. Known: none."),
        ((), "nonsense", "No earlier rule set nonsense. Known: none."),
        (
            (FIRST, STRICTER),
            "nonsense",
            f"No earlier rule set nonsense. Known: {FIRST.version}, {STRICTER.version}.",
        ),
    ],
)
def test_going_back_to_an_unknown_version_is_refused_and_told_which_are_known(
    past: tuple[RuleSet, ...], version: str | None, said: str
) -> None:
    with pytest.raises(NotFound) as refused:
        roll_back(PolicyVersions(LAXER, past=past), version)
    assert str(refused.value) == f"[JIT-101] {said}"
    assert refused.value.context == {"version": version}


def test_a_shadow_decides_nothing_until_it_is_promoted() -> None:
    watching = watch(PolicyVersions(FIRST), STRICTER)
    assert watching.active is FIRST
    promoted = promote(watching)
    assert (promoted.active, promoted.shadow, promoted.past) == (STRICTER, None, (FIRST,))


def test_a_shadow_is_still_watched_when_a_third_rule_set_becomes_active() -> None:
    assert activate(watch(PolicyVersions(FIRST), STRICTER), LAXER) == PolicyVersions(LAXER, STRICTER, (FIRST,))


def test_only_a_shadow_is_promoted_and_only_a_changed_file_is_watched() -> None:
    with pytest.raises(NotFound) as nothing:
        promote(PolicyVersions(FIRST))
    assert str(nothing.value) == "[JIT-101] No rule set is in the shadow. Watch one first."
    with pytest.raises(Conflict) as same:
        watch(PolicyVersions(FIRST), FIRST)
    assert str(same.value) == f"[JIT-200] Rule set {FIRST.version} is active already. Give a changed file."
    assert same.value.context == {"version": FIRST.version}


def test_a_shadow_report_names_the_decisions_that_would_change_and_why() -> None:
    orders = [order(cents) for cents in (90_000, 300_000, 1_900_000, 100_000, 999_000)]
    assert compare(orders, FIRST, STRICTER) == ShadowReport(
        active_version=FIRST.version,
        shadow_version=STRICTER.version,
        decisions=5,
        differences=(
            Difference(1, Effect.ALLOW, Effect.REQUIRE_APPROVAL, ("auto_order_value",)),
            Difference(4, Effect.ALLOW, Effect.REQUIRE_APPROVAL, ("auto_order_value",)),
        ),
        counts={"allow->allow": 2, "allow->require_approval": 2, "require_approval->require_approval": 1},
    )


@pytest.mark.parametrize(
    ("fill_rate", "stock_value", "broken"),
    [
        (0.95, 1000.0, []),
        (0.932, 1099.0, []),
        (0.99, 500.0, []),
        (0.93, 1000.0, ["fill_rate"]),
        (0.95, 1100.0, []),
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
    assert breaches({"stock_value": 10.0}, {"stock_value": 60.0}, GUARDS) == ()
    (breach,) = breaches({"stock_value": 10.0}, {"stock_value": 61.0}, GUARDS)
    assert breach.reason == "stock_value went from 10 to 61; 50 is tolerated."


def test_a_breach_tells_the_figure_its_reference_and_what_was_tolerated() -> None:
    before, now = {"fill_rate": 1.0, "stock_value": 1000.0}, {"stock_value": 1250.0}
    gone, risen = breaches(before, now, GUARDS)
    assert gone == Breach("fill_rate", 1.0, None, 0.02)
    assert gone.reason == "fill_rate was 1 and is no longer measured."
    assert risen == Breach("stock_value", 1000.0, 1250.0, 100.0)
    assert risen.reason == "stock_value went from 1000 to 1250; 100 is tolerated."


def test_the_latest_better_point_with_other_versions_is_restored() -> None:
    points = [point(1, "a", fill_rate=0.95), point(2, "b", fill_rate=0.96), point(3, "c", fill_rate=0.80)]
    assert point_to_restore(points, GUARDS).point_id == "p2"
    same_versions = [point(1, "a", fill_rate=0.95), point(2, "c", fill_rate=0.96), points[2]]
    assert point_to_restore(same_versions, GUARDS).point_id == "p1"


def test_nothing_is_rolled_back_without_a_worse_figure() -> None:
    with pytest.raises(NotFound) as as_good:
        point_to_restore([point(1, "a", fill_rate=0.95), point(2, "b", fill_rate=0.95)], GUARDS)
    assert str(as_good.value) == "[JIT-101] No earlier point had better figures. Keep the present versions."
    assert as_good.value.context == {"point_id": "p2"}
    with pytest.raises(NotFound) as none:
        point_to_restore([], GUARDS)
    assert str(none.value) == "[JIT-101] No point has been recorded. Run a plan first."


def test_a_bundle_names_the_parts_that_changed() -> None:
    before = VersionBundle("d1", "m", "c", "p1", "x")
    assert VersionBundle("d2", "m", "c", "p2", "x").changed_from(before) == ("dataset", "policies")
