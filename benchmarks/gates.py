"""How many order lines a second go through all rules of the built-in policy, beside the bare conditions.

Lines are drawn around the limits of the rules, so that some fire and most do not. The yardstick is the same compiled
conditions with each line's facts handed to every one of them anew, and no verdict made.
"""

from random import Random
from time import process_time
from typing import Any

from benchmarks.figures import Figure, quick_asked, report
from policies.facts import LineFacts
from policies.gates import FACTS_OF_GATE, RuleSet, default_rules, evaluate

SEED = 7


def drawn_lines(count: int, seed: int = SEED) -> list[LineFacts]:
    """Facts of lines, drawn: quantities about MOQ and maximum, prices about the offer's, cover short and long."""
    random, found = Random(seed), list[LineFacts]()
    for _ in range(count):
        quantity, moq = random.randint(1, 2000), random.choice((1, 10, 100))
        cover = random.randint(0, 200)
        changed = {
            "intent": random.choice(("place", "expedite")),
            "value_cents": quantity * random.randint(50, 20_000),
            "quantity": quantity,
            "moq": moq,
            "max_quantity": random.choice((-1, 5000)),
            "off_multiple": random.choice((0, 0, 0, 3)),
            "cover_before_days": cover,
            "cover_after_days": cover + random.randint(1, 120),
            "price_bp_of_offer": random.randint(9_500, 10_600),
            "supplier_status": random.choice(("active", "active", "active", "on_hold")),
            "forecast_observations": random.randint(0, 104),
        }
        found.append(LineFacts.sample().model_copy(update=changed))
    return found


def bare_seconds(lines: list[LineFacts], rules: RuleSet) -> float:
    """CPU seconds of the conditions alone."""
    programs = [rules.programs[rule.id] for rule in rules.rules if FACTS_OF_GATE[rule.gate] is LineFacts]
    started = process_time()
    for line in lines:
        known: dict[str, Any] = {**rules.limits, **dict(line)}
        for program in programs:
            program.execute(dict(known))
    return process_time() - started


def measure(count: int) -> dict[str, Figure]:
    """Lines a second of CPU time, and how many rules fired."""
    rules, lines = default_rules(), drawn_lines(count)
    yardstick = bare_seconds(lines, rules)
    started = process_time()
    verdicts = [verdict for line in lines for verdict in evaluate(line, rules)]
    spent = process_time() - started
    fired = sum(verdict.rule != "none" for verdict in verdicts)
    bare = f"conditions alone, facts handed to each: {count / yardstick:,.0f} lines/s"
    return {
        "lines_per_second": Figure(count / spent, "lines/s", ">= 5,000", bare),
        "ratio_to_bare_conditions": Figure(yardstick / spent, "x", "> 1", bare),
        "rules_fired_per_line": Figure(fired / count, "rules", "told", "drawn around the limits"),
    }


if __name__ == "__main__":
    print(report("gates", measure(2_000 if quick_asked() else 20_000)))
