"""Whether the numbers in a model's words are numbers that were computed: a model words figures, it makes none."""

import re
from collections.abc import Iterable

NUMBER = re.compile(r"(?<![\w.:\-])-?\d[\d,]*(?:\.\d+)?(?![\w:])")


def numbers_in(text: str) -> tuple[str, ...]:
    """The numbers of a text as written; digits inside ids do not count."""
    return tuple(found.rstrip(",") for found in NUMBER.findall(text))


def unknown_numbers(text: str, known_text: str) -> tuple[str, ...]:
    """Numbers of `text` that are no number of `known_text`, nor one of them rounded or as a percentage."""
    known = [_value(number) for number in numbers_in(known_text)]
    return tuple(number for number in numbers_in(text) if not _matches(number, known))


def _value(number: str) -> float:
    return float(number.replace(",", ""))


def _matches(number: str, known: Iterable[float]) -> bool:
    decimals = len(number.partition(".")[2])
    half = 0.5 * 10.0**-decimals + 1e-9
    value = _value(number)
    return any(abs(abs(value) - abs(scale * other)) <= half for other in known for scale in (1.0, 100.0))
