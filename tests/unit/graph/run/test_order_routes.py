"""The gate of autonomy: which order leaves, who must sign it and why, and what a signature binds to."""

import re
from typing import Any

import pytest
from gate_cases import (
    RULES,
    automatic,
    context_of,
    dataset_with,
    draft_of,
    leveled,
    rules_that_fired,
    state_of,
    verdict_of,
)
from order_cases import line_of, order_of

from graph.facts.order_facts import Standing
from graph.facts.records import verdict_from
from graph.run.gates import below_minimum, only_shown, route_order, typed_by
from policies.gates import Effect, Tier, Verdict
from store.operations import LeftOrder
from tools.domain.catalogue import Autonomy
from tools.domain.orders import Intent, OrderLine, OrderStatus, OrderVerdict, Route, RouteKind

QUIET = Standing(left=(), waiting=(), halted=False)
RECOMMENDED = "The items of this order are at autonomy level recommend."
SHADOWED = "The items of this order are in shadow mode, computed and logged only."
BEYOND = "Orders to this supplier add up to 25,002 within a week (others that wait: 0), more than a buyer may sign."
BEYOND_ITSELF = "Orders to this supplier add up to 25,002, above what may leave by itself."
MONTH = "Decided before: bob rejected 10. It comes back because the price fell."
OTHER = "Decided before: bob rejected 20. It comes back because the price rose."


def judged(rule: str, effect: str, tier: str = "") -> Verdict:
    return verdict_from(verdict_of(rule, effect, tier=tier))


@pytest.mark.parametrize(
    ("line", "inherited", "kind", "status", "tier", "reasons"),
    [
        (automatic("A"), [], "auto", "approved", "", []),
        (automatic("A"), [judged("w", "warn")], "auto", "approved", "", []),
        (automatic("A"), [judged("p", "require_approval")], "person", "waiting", "buyer", ["p."]),
        (automatic("A"), [judged("p", "require_approval", "manager")], "person", "waiting", "manager", ["p."]),
        (automatic("A"), [judged("d", "deny"), judged("w", "warn")], "denied", "gated", "", ["d."]),
        (line_of("A"), [], "person", "waiting", "buyer", [RECOMMENDED]),
        (line_of("A"), [judged("d", "deny")], "denied", "gated", "buyer", ["d.", RECOMMENDED]),
        (automatic("A", 10_001.0), [], "person", "waiting", "manager", [BEYOND_ITSELF, BEYOND]),
        (leveled("A", Autonomy.SHADOW), [], "shadow", "gated", "", [SHADOWED]),
        (leveled("A", Autonomy.SHADOW), [judged("d", "deny")], "shadow", "gated", "", ["d.", SHADOWED]),
    ],
)
def test_an_order_leaves_waits_for_its_tier_or_is_kept_back(
    line: OrderLine, inherited: list[Verdict], kind: str, status: str, tier: str, reasons: list[str]
) -> None:
    order = route_order(draft_of(line), inherited, QUIET, context_of())
    assert (order.route.kind, order.status, order.route.tier) == (kind, status, tier)
    assert list(order.route.reasons) == reasons
    assert order.reason == ("" if kind in ("auto", "person") else " ".join(reasons))
    assert bool(order.route.approval_id) is (kind == "person")


def test_a_route_tells_what_was_known_which_rules_spoke_and_what_a_signature_binds_to() -> None:
    waiting = [order_of("C", run_id="run-2"), order_of("C", run_id="run-2", supplier_id="S9")]
    beside = Standing([LeftOrder("run-0/S1", "S1", 700)], waiting, halted=False)
    order = route_order(draft_of(line_of("A")), [judged("w", "warn")], beside, context_of())
    known = {
        "order_value_cents": 2500,
        "window_value_cents": 3200,
        "waiting_value_cents": 2500,
        "autonomy": "recommend",
        "proposed_by_agent": True,
        "edited": False,
        "negotiated": False,
        "halted": False,
    }
    version = RULES.version
    assert order.route == Route(
        kind=RouteKind.PERSON,
        tier="buyer",
        reasons=(RECOMMENDED,),
        verdicts=(
            OrderVerdict.model_validate(verdict_of("w", subject="run-1/S1/MAIN")),
            OrderVerdict(
                gate="autonomy",
                rule="autonomy_recommend",
                subject="run-1/S1/MAIN",
                effect="require_approval",
                reason=RECOMMENDED,
                limit="auto",
                actual="recommend",
                tier="buyer",
                policy_version=version,
            ),
        ),
        facts=known,
        policy_version=version,
        content_hash=draft_of(line_of("A")).seal(version, known),
        approval_id=order.route.approval_id,
    )
    assert order.is_intact


def test_an_approval_is_named_after_its_run_its_order_and_its_content() -> None:
    """A node that runs again asks under the same name; anything else is asked for anew."""
    draft = draft_of(line_of("A"))
    others = [
        draft.changed(run_id="run-2"),
        draft.changed(order_key="run-1/S1/MAIN/recommend"),
        draft_of(line_of("A", 11.0)),
    ]
    asked = [route_order(one, [], QUIET, context_of()).route.approval_id for one in (draft, draft, *others)]
    assert asked[0] == asked[1] and len(set(asked)) == 4
    assert all(re.fullmatch("ap-[0-9a-f]{12}", one) for one in asked)
    halted = Standing(left=(), waiting=(), halted=True)
    assert route_order(draft, [], halted, context_of()).route.approval_id not in asked


def test_a_change_of_an_open_order_waits_as_one() -> None:
    change = draft_of(line_of("A", intent=Intent.CANCEL), changes="PO-1")
    assert route_order(change, [], QUIET, context_of()).status is OrderStatus.CHANGE_WAITING


def test_what_several_rules_say_alike_is_told_once() -> None:
    twice = [judged("d", "deny"), judged("d", "deny"), judged("p", "require_approval")]
    order = route_order(draft_of(automatic("A")), twice, QUIET, context_of())
    assert order.route.reasons == ("d.", "p.") and order.reason == "d. p."


@pytest.mark.parametrize(
    ("before", "person", "proposers"),
    [
        ((), "", ("agent:planner",)),
        ((), "ana", ("agent:planner", "ana")),
        (("bob",), "ana", ("bob", "agent:planner", "ana")),
        (("agent:planner", "ana"), "ana", ("agent:planner", "ana")),
    ],
)
def test_the_program_proposes_and_with_it_whoever_typed_or_edited_something(
    before: tuple[str, ...], person: str, proposers: tuple[str, ...]
) -> None:
    draft = draft_of(automatic("A"), proposed_by=before)
    assert route_order(draft, [], QUIET, context_of(), person).proposed_by == proposers


def test_who_types_nothing_proposes_nothing() -> None:
    assert route_order(draft_of(automatic("A")), [], QUIET, context_of()).proposed_by == ("agent:planner",)


def test_a_line_that_a_person_decided_before_is_theirs_again_however_small() -> None:
    lines = [automatic(item_id, decided_before=said) for item_id, said in [("A", MONTH), ("B", ""), ("C", OTHER)]]
    again = automatic("D", decided_before=MONTH)
    order = route_order(draft_of(*lines, again), [], QUIET, context_of())
    assert (order.status, order.route.tier, order.route.reasons) == (OrderStatus.WAITING, "buyer", (MONTH, OTHER))
    assert order.route.verdicts[:2] == tuple(
        OrderVerdict(
            gate="autonomy",
            rule="decided_before",
            subject="run-1/S1/MAIN",
            effect="require_approval",
            reason=reason,
            tier="buyer",
            policy_version=RULES.version,
        )
        for reason in (MONTH, OTHER)
    )
    assert rules_that_fired(order) == ["decided_before", "decided_before", "none"]


SMALL = "The order is worth 1,024.99; S1 takes none below 1,025.00."


@pytest.mark.parametrize(
    ("value", "least", "known", "reasons"),
    [
        (1024.99, 1025.0, {}, [SMALL]),
        (1025.0, 1025.0, {}, []),
        (1025.01, 1025.0, {}, []),
        (0.4, 0.0, {}, []),
        (0.4, 1025.0, {"supplier_id": "S9"}, []),
        (0.4, 1025.0, {"changes": "PO-1"}, []),
        (
            0.4,
            1025.0,
            {"changes": "PO-1", "intent": Intent.SWITCH_SUPPLIER},
            ["The order is worth 0.40; S1 takes none below 1,025.00."],
        ),
        (1024.0, 1025.0, {"currency": "JPY"}, ["The order is worth 1,024; S1 takes none below 1,025."]),
    ],
)
def test_an_order_below_what_its_supplier_takes_asks_a_person(
    value: float, least: float, known: dict[str, Any], reasons: list[str]
) -> None:
    """What changes or withdraws an open order places nothing, and an unknown supplier states no minimum."""
    of_line = {"currency": known.get("currency", "USD"), "intent": known.get("intent", Intent.PLACE)}
    line = line_of("A", 1.0, price=value).model_copy(update=of_line)
    order = draft_of(line, **{name: told for name, told in known.items() if name != "intent"})
    context = context_of(dataset=dataset_with(least))
    assert [one.reason for one in below_minimum(order, "ds-1", context)] == reasons


def test_an_order_too_small_for_its_supplier_is_told_as_a_rule_is() -> None:
    line = line_of("A", 1.0, price=1024.99)
    assert below_minimum(draft_of(line), "ds-1", context_of(dataset=dataset_with(1025.0))) == [
        Verdict(
            gate="autonomy",
            rule="supplier_minimum",
            effect=Effect.REQUIRE_APPROVAL,
            reason=SMALL,
            limit="1025.00",
            actual="1024.99",
            tier=Tier.BUYER,
            policy_version=RULES.version,
        )
    ]


@pytest.mark.parametrize(("kind", "typed"), [("alert", "ana"), ("plan", ""), ("schedule", ""), ("stock", "")])
def test_only_who_typed_an_alert_proposes_what_rests_on_it(kind: str, typed: str) -> None:
    assert typed_by(state_of(trigger={"kind": kind, "actor": "ana"})) == typed


def test_an_order_that_is_only_shown_tells_why_and_asks_nobody() -> None:
    routed = route_order(draft_of(line_of("A")), [], QUIET, context_of())
    assert routed.status is OrderStatus.WAITING
    shown = only_shown(routed, "An old version.")
    route = {"kind": RouteKind.SHADOW, "approval_id": "", "reasons": ("An old version.", RECOMMENDED)}
    assert shown == routed.changed(
        status=OrderStatus.GATED, reason="An old version.", route=routed.route.model_copy(update=route)
    )
