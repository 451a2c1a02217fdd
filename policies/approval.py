"""Who must sign what, and what a signature binds to."""

from collections.abc import Mapping, Sequence

from policies.gates import Effect, RuleSet, Tier, Verdict, tier_of
from tools.domain.names import may_be_taken_for, plain_name
from tools.domain.seals import content_hash

__all__ = ["approval_tier", "content_hash", "may_decide", "signs_own"]

TIERS_OF_ROLE: Mapping[str, tuple[Tier, ...]] = {
    "viewer": (),
    "analyst": (),
    "buyer": (Tier.BUYER,),
    "manager": (Tier.BUYER, Tier.MANAGER),
    "admin": (Tier.BUYER, Tier.MANAGER),
}
AGENT_PREFIX = "agent:"
PROGRAMS = frozenset({"rules", "outbox", "session"})
"""Names under which the program itself stands in the journal."""
ONE_PERSON_LIMIT = "one_person_value_cents"
"""Limit up to which the only person of an installation signs their own; the buyer's where the file has none."""
BUYER_LIMIT = "max_order_value_buyer_cents"
"""Limit in the rule file up to which a buyer's signature is enough."""


def approval_tier(value_cents: int, verdicts: Sequence[Verdict], rules: RuleSet) -> Tier | None:
    """The tier that must sign: what the verdicts ask for, and a manager above the buyer's limit; None for nobody."""
    asked = tier_of(verdicts)
    if asked is None or value_cents <= rules.limits[BUYER_LIMIT]:
        return asked
    return Tier.MANAGER


def signs_own(value_cents: int, rules: RuleSet) -> bool:
    """Whether the only person of an installation may sign an order of this value that they proposed themselves."""
    return value_cents <= rules.limits.get(ONE_PERSON_LIMIT, rules.limits[BUYER_LIMIT])


def may_decide(
    actor: str, role: str, proposed_by: Sequence[str], tier: Tier, policy_version: str = "", *, own: bool = False
) -> Verdict:
    """Whether a person may sign: agents never, proposers never, and only a role that reaches the tier.

    `own`: proposers may, because the installation has one person and policy leaves them an order of this value.
    """
    name = plain_name(actor)
    if not name or name.startswith(AGENT_PREFIX) or name in PROGRAMS:
        return _denied("agents_never_approve", "Agents and programs never approve.", "a person", actor, policy_version)
    if not own and any(may_be_taken_for(actor, proposer) for proposer in proposed_by):
        reason = f"{actor} proposed or edited this order; somebody else must sign it."
        return _denied("segregation_of_duties", reason, "somebody else", actor, policy_version)
    if tier not in TIERS_OF_ROLE.get(role, ()):
        reason = f"{actor} is {role}; this order needs a {tier.value}."
        return _denied("approval_tier", reason, tier.value, role, policy_version)
    allowed = f"{actor} may sign as {role}."
    return Verdict("approval", "approval_tier", Effect.ALLOW, allowed, tier.value, role, tier, policy_version)


def _denied(rule: str, reason: str, limit: str, actual: str, policy_version: str) -> Verdict:
    return Verdict("approval", rule, Effect.DENY, reason, limit, actual, None, policy_version)
