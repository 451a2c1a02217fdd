"""What a person reads when a rule file is refused: which rule, what is wrong with it, and what to do."""

import pytest
from policy_cases import data_facts, one_rule

from policies.gates import default_rules, evaluate, load_rules
from tools.domain.errors import BadInput

PLAIN = one_rule("items > 3")
SEE_FACTS = "See policies/facts.py for what each gate knows."
SEE_DOCS = "See docs/policies.md."
EFFECTS = "Use deny, require_approval (the only one with a tier) or warn."
NO_FORMAT = "Write only names in braces."
TYPES = "No such overload: the operation is not defined for the given operand types."


def refusal(text: str) -> BadInput:
    with pytest.raises(BadInput) as refused:
        load_rules(text)
    return refused.value


@pytest.mark.parametrize(
    ("text", "message", "remedy"),
    [
        (one_rule("itms > 3"), "Rule r names unknown facts, limits or functions: itms.", SEE_FACTS),
        (
            one_rule("itms > 3 && eval(items) && value_cents > 3"),
            "Rule r names unknown facts, limits or functions: eval, itms, value_cents.",
            SEE_FACTS,
        ),
        (one_rule("items"), "Rule r answers 2.", "Write a condition that is true or false."),
        (
            one_rule("10 / (items - 2) > 3"),
            "Rule r cannot be evaluated: division by zero in CEL expression",
            "Correct the condition.",
        ),
        (
            one_rule("[1].map(x, x).exists(x, x == items)"),
            "Rule r uses the comprehension map.",
            "Compute the fact instead.",
        ),
        (
            one_rule("items > 3", reason="{itms} of {all}"),
            "Rule r shows unknown facts or limits: all, itms.",
            SEE_FACTS,
        ),
        (one_rule("items > 3", actual="itms"), "Rule r shows unknown facts or limits: itms.", SEE_FACTS),
        (one_rule("items > 3", limit="most_itms"), "Rule r shows unknown facts or limits: most_itms.", SEE_FACTS),
        (
            one_rule("items > 3", reason="{items items"),
            "Rule r: reason: expected '}' before end of string.",
            "Correct the braces.",
        ),
        (one_rule("items > 3", reason="{items:d} in all"), "Rule r: reason: items has a format.", NO_FORMAT),
        (one_rule("items > 3", reason="{items} {total_rows!x}"), "Rule r: reason: total_rows has a format.", NO_FORMAT),
        (one_rule("items > 3", reason="{items:{itms}}"), "Rule r: reason: items has a format.", NO_FORMAT),
        (one_rule("items > 3", effect="allow"), "Rule r has effect allow and tier None.", EFFECTS),
        (
            PLAIN.replace("limit: most_items", "limit: most_items, tier: manager"),
            "Rule r has effect deny and tier manager.",
            EFFECTS,
        ),
        (
            PLAIN.replace("most_items: 3", "items: 3, autonomy: 4"),
            "Limits named like facts: autonomy, items.",
            "Rename the limits.",
        ),
        (PLAIN + PLAIN.rpartition("rules:\n")[2], "Rule r stands twice.", "Give each rule an id of its own."),
        (
            PLAIN.replace("most_items: 3", "b: 1, a: 2, a: 3, b: 4"),
            "The rule file cannot be read: a, b stands twice, line 3",
            SEE_DOCS,
        ),
    ],
)
def test_a_refused_file_says_what_is_wrong_and_what_to_do(text: str, message: str, remedy: str) -> None:
    assert str(refusal(text)) == f"[JIT-100] {message} {remedy}"


@pytest.mark.parametrize(
    ("text", "opening", "quoted", "remedy"),
    [
        (one_rule("items >"), "Rule r: ", "| items >\n| .......^", "Correct the condition."),
        (one_rule("items > 'three'"), "Rule r cannot be evaluated: ", TYPES, "Correct the condition."),
        (PLAIN.replace("gate: data", "gate: stock"), "The rule file cannot be read: ", "rules.0.gate\n", SEE_DOCS),
        (PLAIN.replace("s: 3", "s: '3'"), "The rule file cannot be read: ", "limits.most_items\n", SEE_DOCS),
        ("just text", "The rule file cannot be read: ", "input_value='just text'", SEE_DOCS),
        ("name: x\nrules: [", "The rule file cannot be read: ", "line 2, column 9", SEE_DOCS),
        ("limits: {[a]: 1, [b]: 2}", "The rule file cannot be read: ", "found unhashable key", SEE_DOCS),
        ("name: x\nrules: []\nlimits: &all {all: *all}", "The rule file cannot be read: ", "limits.all\n", SEE_DOCS),
    ],
)
def test_what_a_parser_says_stands_between_the_place_and_the_remedy(
    text: str, opening: str, quoted: str, remedy: str
) -> None:
    refused = refusal(text)
    assert refused.message.startswith(opening)
    assert quoted in refused.message.removeprefix(opening)
    assert refused.remedy == remedy


@pytest.mark.parametrize("when", ["-items < -3", "!(items <= 3)", "items in [10]", "'items'.startsWith('it')"])
def test_negation_lists_and_words_are_no_unknown_functions(when: str) -> None:
    (fired,) = evaluate(data_facts(items=10), load_rules(one_rule(when)))
    assert fired.rule == "r"


def test_a_loaded_file_keeps_its_name_its_limits_and_its_text() -> None:
    rules = load_rules(PLAIN)
    assert (rules.name, dict(rules.limits), rules.text) == ("one", {"most_items": 3}, PLAIN)
    assert default_rules().name == "default"
