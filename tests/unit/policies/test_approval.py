"""Who may sign, and what a signature binds to."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.approval import approval_tier, content_hash, may_decide, signs_own
from policies.gates import Effect, Tier, Verdict, default_rules, load_rules
from tools.domain.errors import BadInput

ORDER: dict[str, Any] = {
    "supplier_id": "S1",
    "lines": [{"item_id": "P1", "quantity": 10, "unit_price": "3.30"}, {"item_id": "P2", "quantity": 5}],
}


def asking(tier: Tier | None) -> list[Verdict]:
    return [Verdict("autonomy", "r", Effect.REQUIRE_APPROVAL, "", "", "", tier, "v")]


def test_the_hash_does_not_depend_on_the_order_of_keys() -> None:
    turned = {"lines": [dict(reversed(line.items())) for line in ORDER["lines"]], "supplier_id": "S1"}
    assert content_hash(ORDER, "v1", {"a": 1, "b": 2}) == content_hash(turned, "v1", {"b": 2, "a": 1})


@pytest.mark.parametrize(
    ("order", "version", "facts"),
    [
        ({**ORDER, "supplier_id": "S2"}, "v1", {"a": 1}),
        ({**ORDER, "lines": ORDER["lines"][::-1]}, "v1", {"a": 1}),
        ({**ORDER, "lines": [{**ORDER["lines"][0], "quantity": 11}, ORDER["lines"][1]]}, "v1", {"a": 1}),
        ({**ORDER, "note": ""}, "v1", {"a": 1}),
        (ORDER, "v2", {"a": 1}),
        (ORDER, "v1", {"a": 2}),
        (ORDER, "v1", {"a": 1, "b": 0}),
    ],
)
def test_one_changed_field_changes_the_hash(order: dict[str, Any], version: str, facts: dict[str, Any]) -> None:
    assert content_hash(order, version, facts) != content_hash(ORDER, "v1", {"a": 1})


@pytest.mark.parametrize("value", [float("nan"), float("inf"), object()])
def test_what_is_no_plain_json_cannot_be_signed(value: object) -> None:
    with pytest.raises(BadInput):
        content_hash({"quantity": value}, "v1", {})


@pytest.mark.parametrize("actor", ["agent:planner", "AGENT:Planner", " agent : planner", "ａgent:planner", "", "  "])
@pytest.mark.parametrize("role", ["buyer", "manager", "admin"])
def test_agents_never_approve_whatever_role_they_claim(actor: str, role: str) -> None:
    assert may_decide(actor, role, [], Tier.BUYER).effect is Effect.DENY


@pytest.mark.parametrize("proposer", ["Ana Lee", "ana lee", " ANA LEE ", "ana  lee"])
def test_a_proposer_cannot_approve_however_the_name_is_written(proposer: str) -> None:
    answer = may_decide("Ana Lee", "manager", ["agent:planner", proposer], Tier.BUYER)
    assert (answer.effect, answer.rule) == (Effect.DENY, "segregation_of_duties")


@given(st.text(min_size=1))
def test_no_name_can_sign_what_it_proposed(name: str) -> None:
    assert may_decide(name, "admin", [name.upper()], Tier.BUYER).effect is Effect.DENY or name != name.upper()
    assert may_decide(name, "admin", [name], Tier.BUYER).effect is Effect.DENY


@pytest.mark.parametrize(
    ("role", "tier", "effect"),
    [
        ("viewer", Tier.BUYER, Effect.DENY),
        ("analyst", Tier.BUYER, Effect.DENY),
        ("stranger", Tier.BUYER, Effect.DENY),
        ("buyer", Tier.BUYER, Effect.ALLOW),
        ("buyer", Tier.MANAGER, Effect.DENY),
        ("manager", Tier.MANAGER, Effect.ALLOW),
        ("admin", Tier.MANAGER, Effect.ALLOW),
    ],
)
def test_a_role_signs_up_to_its_tier(role: str, tier: Tier, effect: Effect) -> None:
    assert may_decide("bo", role, ["ana"], tier, "v1").effect is effect


def test_a_manager_signs_above_the_buyers_limit_and_nobody_where_nothing_asks() -> None:
    rules = default_rules()
    assert approval_tier(2_500_000, asking(None), rules) is Tier.BUYER
    assert approval_tier(5_000_001, asking(Tier.BUYER), rules) is Tier.MANAGER
    assert approval_tier(100, asking(Tier.MANAGER), rules) is Tier.MANAGER
    assert approval_tier(5_000_001, [], rules) is None


@pytest.mark.parametrize(
    ("actor", "role", "rule", "effect", "reason", "limit", "actual"),
    [
        (
            "agent:planner",
            "admin",
            "agents_never_approve",
            Effect.DENY,
            "Agents and programs never approve.",
            "a person",
            "agent:planner",
        ),
        (
            "outbox",
            "admin",
            "agents_never_approve",
            Effect.DENY,
            "Agents and programs never approve.",
            "a person",
            "outbox",
        ),
        (
            "ana",
            "manager",
            "segregation_of_duties",
            Effect.DENY,
            "ana proposed or edited this order; somebody else must sign it.",
            "somebody else",
            "ana",
        ),
        ("bo", "buyer", "approval_tier", Effect.DENY, "bo is buyer; this order needs a manager.", "manager", "buyer"),
        ("bo", "admin", "approval_tier", Effect.ALLOW, "bo may sign as admin.", "manager", "admin"),
    ],
)
@pytest.mark.parametrize("version", ["v1", None])
def test_a_signature_and_a_refused_one_tell_the_rule_the_reason_what_is_needed_and_who_came(
    actor: str, role: str, rule: str, effect: Effect, reason: str, limit: str, actual: str, version: str | None
) -> None:
    under = () if version is None else (version,)
    tier = Tier.MANAGER if effect is Effect.ALLOW else None
    expected = Verdict("approval", rule, effect, reason, limit, actual, tier, version or "")
    assert may_decide(actor, role, ["ana"], Tier.MANAGER, *under) == expected


@pytest.mark.parametrize(
    ("limits", "value_cents", "own"),
    [
        ("max_order_value_buyer_cents: 500", 500, True),
        ("max_order_value_buyer_cents: 500", 501, False),
        ("max_order_value_buyer_cents: 500, one_person_value_cents: 300", 300, True),
        ("max_order_value_buyer_cents: 500, one_person_value_cents: 300", 301, False),
        ("max_order_value_buyer_cents: 500, one_person_value_cents: 900", 900, True),
        ("max_order_value_buyer_cents: 500, one_person_value_cents: 0", 1, False),
    ],
)
def test_an_only_person_signs_their_own_up_to_a_limit_of_their_own_or_else_the_buyers(
    limits: str, value_cents: int, own: bool
) -> None:
    assert signs_own(value_cents, load_rules(f"name: x\nlimits: {{{limits}}}\nrules: []")) is own
