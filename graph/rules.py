"""The rules of an installation, as its settings choose them."""

from pathlib import Path

from graph.settings import Settings
from policies.gates import RuleSet, load_rules
from policies.material import Materiality
from tools.domain.errors import BadInput

BUILT_IN_RULES = Path(__file__).parent.parent / "policies" / "rules" / "default.yaml"


NEEDED_LIMITS = ("auto_order_value_cents", "max_cover_factor", "max_order_value_buyer_cents")
"""Limits that the program itself reads beside the rules."""


def rules_of(settings: Settings) -> RuleSet:
    """The active rules. BadInput when the file cannot be read, or lacks a limit that the program reads itself."""
    path = settings.policy_file or BUILT_IN_RULES
    try:
        rules = load_rules(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"The rule file {path} cannot be read: {error}.", remedy="Correct JIT_POLICY_FILE.") from error
    missing = [name for name in NEEDED_LIMITS if name not in rules.limits]
    if missing:
        raise BadInput(
            f"The rule file {path} has no limit {' and none '.join(missing)}.",
            remedy=f"Take them over from {BUILT_IN_RULES.name}, whose values are the built-in ones.",
        )
    return rules


def materiality_of(settings: Settings) -> Materiality:
    """What must change before a decided line is proposed otherwise again."""
    return Materiality(
        quantity=settings.material_quantity_percent / 100,
        price=settings.material_price_percent / 100,
        risk_bp=round(settings.material_risk_points * 100),
    )
