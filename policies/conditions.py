"""Rule conditions: CEL without comprehensions, over known names only, tried once when they are loaded."""

import re
from collections.abc import Mapping
from typing import Any, Protocol

from tools.domain.errors import BadInput

COMPREHENSIONS = re.compile(r"\b(all|exists|exists_one|existsOne|map|filter|transformList|transformMap)\b")
"""Refused as words, wherever they stand: a comment between name and bracket would hide a call."""
FUNCTIONS = frozenset({"size", "startsWith", "endsWith", "contains", "@in"})
"""Beside the operators, whose names carry an underscore for each operand."""
EVALUATION_ERRORS = (ArithmeticError, LookupError, RuntimeError, TypeError, ValueError)
"""What the engine raises for a missing or mistyped fact, an overflow, a division by zero."""


class Program(Protocol):
    """A compiled condition."""

    def execute(self, context: Any = None) -> object:
        """The condition's value for these facts."""
        ...


def compile_condition(rule_id: str, condition: str, known: Mapping[str, Any]) -> Program:
    """Compile a condition and try it on sample facts. Raises BadInput naming the rule."""
    if found := COMPREHENSIONS.search(condition):
        raise BadInput(f"Rule {rule_id} uses the comprehension {found[0]}.", remedy="Compute the fact instead.")
    import cel

    try:
        program = cel.compile(condition)
    except ValueError as error:
        raise BadInput(f"Rule {rule_id}: {error}", remedy="Correct the condition.") from error
    unknown = {str(name) for name in program.variables()} - set(known)
    unknown |= {name for name in map(str, program.functions()) if name not in FUNCTIONS and not _is_operator(name)}
    if unknown:
        raise BadInput(
            f"Rule {rule_id} names unknown facts, limits or functions: {', '.join(sorted(unknown))}.",
            remedy="See policies/facts.py for what each gate knows.",
        )
    _try(rule_id, program, known)
    return program


def known_to_conditions(known: Mapping[str, Any]) -> object:
    """Facts and limits as every condition of a gate reads them: they are handed over once for all."""
    import cel

    return cel.Context(variables=dict(known))


def _is_operator(name: str) -> bool:
    return name.startswith(("_", "!_", "-_"))


def _try(rule_id: str, program: Program, known: Mapping[str, Any]) -> None:
    try:
        answer = program.execute(dict(known))
    except EVALUATION_ERRORS as error:
        raise BadInput(f"Rule {rule_id} cannot be evaluated: {error}", remedy="Correct the condition.") from error
    if not isinstance(answer, bool):
        raise BadInput(f"Rule {rule_id} answers {answer!r}.", remedy="Write a condition that is true or false.")
