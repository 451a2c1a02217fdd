"""What the gates said, by rule: denials first, then what needs a signature, then warnings."""

from collections import Counter
from collections.abc import Sequence

from rich.text import Text

from graph.views.orders import VerdictView
from terminal.figures import count, subject
from terminal.screen import bullet, clean, heading, screen

ORDER = ("deny", "require_approval", "warn")
WORDS = {"deny": ("denied", "red"), "require_approval": ("to be signed", "yellow"), "warn": ("warned", "blue")}
EXAMPLES = 2


def show_gates(verdicts: Sequence[VerdictView]) -> None:
    """One block for each rule that fired: how often, and two examples."""
    latest = {(verdict.rule, verdict.subject): verdict for verdict in verdicts}
    fired = [verdict for verdict in latest.values() if verdict.effect in ORDER]
    effects = Counter(verdict.effect for verdict in fired)
    told = [f"{effects[effect]} {WORDS[effect][0]}" for effect in ORDER if effects[effect]]
    heading(f"Gates: {', '.join(told) if told else 'everything is within every limit'}")
    by_rule: dict[tuple[str, str], list[VerdictView]] = {}
    for verdict in sorted(fired, key=lambda verdict: ORDER.index(verdict.effect)):
        by_rule.setdefault((verdict.effect, verdict.rule), []).append(verdict)
    for (effect, rule), found in by_rule.items():
        word, colour = WORDS[effect]
        times = f" × {len(found)}" if len(found) > 1 else ""
        screen().print(Text.assemble((word, colour), " ", (clean(rule), "bold"), times))
        for example in examples(found):
            bullet(example)


def examples(found: Sequence[VerdictView]) -> list[str]:
    """The reason once with its subjects when it is always the same, else two reasons with a subject each."""
    reasons = list(dict.fromkeys(verdict.reason for verdict in found))
    if len(reasons) == 1:
        named = ", ".join(subject(verdict.subject) for verdict in found[:EXAMPLES])
        rest = f" and {count(len(found) - EXAMPLES, 'other')}" if len(found) > EXAMPLES else ""
        return [f"{reasons[0]} ({named}{rest})"]
    firsts = [next(verdict for verdict in found if verdict.reason == reason) for reason in reasons[:EXAMPLES]]
    told = [f"{subject(verdict.subject)}: {verdict.reason}" for verdict in firsts]
    return [*told, f"and {count(len(found) - EXAMPLES, 'other')}"] if len(found) > EXAMPLES else told
