"""Which rule set decides, which one only watches, how to go back. Pure; the caller stores; no run calls it yet."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from policies.facts import Facts
from policies.gates import Effect, RuleSet, decide, evaluate
from tools.domain.errors import Conflict, NotFound


@dataclass(frozen=True)
class PolicyVersions:
    """Rule sets of an installation. `active` decides; `shadow` is evaluated beside it and decides nothing."""

    active: RuleSet
    shadow: RuleSet | None = None
    past: tuple[RuleSet, ...] = ()
    """Earlier active sets, oldest first."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One decision on which two rule sets disagree."""

    place: int
    """Position among the facts compared."""
    active: Effect
    shadow: Effect
    rules: tuple[str, ...]
    """Rules that fired in one set only."""


@dataclass(frozen=True)
class ShadowReport:
    """What activating the shadow would have changed."""

    active_version: str
    shadow_version: str
    decisions: int
    differences: tuple[Difference, ...]
    counts: Mapping[str, int] = field(default_factory=dict[str, int])
    """`allow->deny` and the like, to how often."""


def activate(versions: PolicyVersions, rules: RuleSet) -> PolicyVersions:
    """Let a rule set decide from now on; the one before is kept to go back to."""
    if rules.version == versions.active.version:
        return versions
    shadow = None if versions.shadow and versions.shadow.version == rules.version else versions.shadow
    return PolicyVersions(rules, shadow, (*versions.past, versions.active))


def watch(versions: PolicyVersions, rules: RuleSet) -> PolicyVersions:
    """Evaluate a rule set in the shadow of the active one. Conflict when it is the active one."""
    if rules.version == versions.active.version:
        raise Conflict(
            f"Rule set {rules.version} is active already.", remedy="Give a changed file.", version=rules.version
        )
    return replace(versions, shadow=rules)


def promote(versions: PolicyVersions) -> PolicyVersions:
    """Activate the shadow. NotFound when there is none."""
    if versions.shadow is None:
        raise NotFound("No rule set is in the shadow.", remedy="Watch one first.")
    return activate(versions, versions.shadow)


def roll_back(versions: PolicyVersions, version: str | None = None) -> PolicyVersions:
    """Go back to an earlier rule set, the last one when none is named. NotFound when it is not among the past."""
    places = [place for place, rules in enumerate(versions.past) if version in (None, rules.version)]
    if not places:
        known = ", ".join(rules.version for rules in versions.past) or "none"
        sought = f"No earlier rule set {version}." if version else "No rule set was active before this one."
        raise NotFound(sought, remedy=f"Known: {known}.", version=version)
    return replace(versions, active=versions.past[places[-1]], past=versions.past[: places[-1]])


def compare(facts: Iterable[Facts], active: RuleSet, shadow: RuleSet) -> ShadowReport:
    """Replay facts through both rule sets and tell where they decide differently."""
    found: list[Difference] = []
    counts: dict[str, int] = {}
    decisions = 0
    for place, known in enumerate(facts):
        decisions += 1
        now, then = evaluate(known, active), evaluate(known, shadow)
        before, after = decide(now), decide(then)
        counts[f"{before}->{after}"] = counts.get(f"{before}->{after}", 0) + 1
        if before is not after:
            fired = {verdict.rule for verdict in now} ^ {verdict.rule for verdict in then}
            found.append(Difference(place, before, after, tuple(sorted(fired - {"none"}))))
    return ShadowReport(active.version, shadow.version, decisions, tuple(found), counts)
