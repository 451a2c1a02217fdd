"""Facts in, verdicts out. Conditions are CEL; exactly False means a rule does not fire, any error denies."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from importlib.resources import files
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, StrictInt, ValidationError

from policies.conditions import EVALUATION_ERRORS, Program, compile_condition, known_to_conditions
from policies.facts import AutonomyFacts, DataFacts, DriftFacts, Facts, LineFacts, PlanFacts
from policies.wording import Shown, check_wording, read_yaml
from tools.domain.errors import BadInput


class Effect(StrEnum):
    """What a rule does when it fires; `allow` is what stands when none does."""

    ALLOW = "allow"
    WARN = "warn"
    REQUIRE_APPROVAL = "require_approval"
    DENY = "deny"


class Gate(StrEnum):
    """Where a rule stands."""

    DATA = "data"
    DRIFT = "drift"
    LINES = "lines"
    PLAN = "plan"
    AUTONOMY = "autonomy"


class Tier(StrEnum):
    """Who must sign, lowest first."""

    BUYER = "buyer"
    MANAGER = "manager"


FACTS_OF_GATE: Mapping[Gate, type[Facts]] = {
    Gate.DATA: DataFacts,
    Gate.DRIFT: DriftFacts,
    Gate.LINES: LineFacts,
    Gate.PLAN: PlanFacts,
    Gate.AUTONOMY: AutonomyFacts,
}
STRENGTH = (Effect.ALLOW, Effect.WARN, Effect.REQUIRE_APPROVAL, Effect.DENY)


class RuleText(BaseModel):
    """A rule as written in YAML."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    gate: Gate
    when: str
    effect: Effect
    reason: str
    actual: str
    """Fact whose value is shown beside the limit."""
    limit: str
    """Name of a limit or a fact, or a literal in words."""
    tier: Tier | None = None


class RuleFile(BaseModel):
    """A rule file: named limits, then rules."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    limits: dict[str, StrictInt]
    rules: list[RuleText]


@dataclass(frozen=True, slots=True)
class Verdict:
    """One rule's answer, or the gate's `allow` when no rule fired."""

    gate: str
    rule: str
    effect: Effect
    reason: str
    limit: str
    actual: str
    tier: Tier | None
    policy_version: str


@dataclass(frozen=True)
class RuleSet:
    """A compiled, immutable rule file. `version` is the hash of its text."""

    version: str
    name: str
    limits: Mapping[str, int]
    rules: tuple[RuleText, ...]
    text: str
    programs: Mapping[str, Program] = field(repr=False)


def default_rules() -> RuleSet:
    """The built-in rules."""
    return load_rules((files("policies") / "rules" / "default.yaml").read_text(encoding="utf-8"))


def load_rules(text: str) -> RuleSet:
    """Parse and check a rule file.

    Raises BadInput naming the rule when YAML, a condition, a fact, a limit or a reason is wrong, or an id or a
    limit stands twice.
    """
    try:
        parsed = RuleFile.model_validate(read_yaml(text))
    except (yaml.YAMLError, ValidationError) as error:
        raise BadInput(f"The rule file cannot be read: {error}", remedy="See docs/policies.md.") from error
    facts = {name for kind in FACTS_OF_GATE.values() for name in kind.model_fields}
    if shadowed := facts & set(parsed.limits):
        raise BadInput(f"Limits named like facts: {', '.join(sorted(shadowed))}.", remedy="Rename the limits.")
    programs: dict[str, Program] = {}
    for rule in parsed.rules:
        if rule.id in programs:
            raise BadInput(f"Rule {rule.id} stands twice.", remedy="Give each rule an id of its own.")
        programs[rule.id] = _compiled(rule, parsed.limits)
    version = hashlib.sha256(text.encode()).hexdigest()[:12]
    return RuleSet(version, parsed.name, parsed.limits, tuple(parsed.rules), text, programs)


def _compiled(rule: RuleText, limits: Mapping[str, int]) -> Program:
    if rule.effect is Effect.ALLOW or (rule.tier is not None and rule.effect is not Effect.REQUIRE_APPROVAL):
        raise BadInput(
            f"Rule {rule.id} has effect {rule.effect} and tier {rule.tier}.",
            remedy="Use deny, require_approval (the only one with a tier) or warn.",
        )
    kind = FACTS_OF_GATE[rule.gate]
    known = {**limits, **kind.sample().model_dump()}
    check_wording(rule.id, rule.reason, rule.actual, rule.limit, known)
    return compile_condition(rule.id, rule.when, known)


def evaluate(facts: Facts, rules: RuleSet) -> tuple[Verdict, ...]:
    """Verdicts of every rule of the facts' gate that fires, or one `allow`."""
    gate = next(gate for gate, kind in FACTS_OF_GATE.items() if isinstance(facts, kind))
    known = {**rules.limits, **dict(facts)}
    handed = known_to_conditions(known)
    fired = [
        verdict
        for rule in rules.rules
        if rule.gate is gate and (verdict := _fire(rule, known, handed, rules)) is not None
    ]
    if fired:
        return tuple(fired)
    return (Verdict(gate.value, "none", Effect.ALLOW, "Within every limit.", "", "", None, rules.version),)


def _fire(rule: RuleText, known: Mapping[str, Any], handed: object, rules: RuleSet) -> Verdict | None:
    effect, problem = rule.effect, ""
    try:
        result = rules.programs[rule.id].execute(handed)
    except EVALUATION_ERRORS as error:
        result, effect, problem = True, Effect.DENY, f"The rule could not be evaluated: {error}"
    if result is False:
        return None
    if result is not True:
        effect, problem = Effect.DENY, f"The rule answered {result!r}, not true or false."
    return Verdict(
        gate=rule.gate.value,
        rule=rule.id,
        effect=effect,
        reason=problem or rule.reason.format_map(Shown(known)),
        limit=str(known.get(rule.limit, rule.limit)),
        actual=str(known.get(rule.actual, "missing")),
        tier=rule.tier if effect is Effect.REQUIRE_APPROVAL else None,
        policy_version=rules.version,
    )


def decide(verdicts: Iterable[Verdict]) -> Effect:
    """The strongest effect: deny, then require_approval, then warn, then allow."""
    return max((verdict.effect for verdict in verdicts), key=STRENGTH.index, default=Effect.DENY)


def tier_of(verdicts: Sequence[Verdict]) -> Tier | None:
    """The highest tier that any verdict asks for; a buyer when one asks for approval without naming a tier."""
    asking = [verdict for verdict in verdicts if verdict.effect is Effect.REQUIRE_APPROVAL]
    if not asking:
        return None
    return max((verdict.tier or Tier.BUYER for verdict in asking), key=list(Tier).index)
