"""What a JSON document from outside may hold, so that every database and every answer can carry it."""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import cast

DEEPEST = 32
"""Levels of objects and lists; serialisers of other parts give up at a few hundred."""
LARGEST_INTEGER = 2**63 - 1


def misfit(document: object) -> str:
    """The first field that does not fit and why, such as `data.text: holds a NUL`; empty when all fit."""
    return next(_misfits(document, ()), "")


def sayable(text: str) -> str:
    """The text with halves of characters, which no encoding carries, written as escapes."""
    return text.encode("utf-8", "backslashreplace").decode()


def _misfits(value: object, place: tuple[str, ...]) -> Iterator[str]:
    if len(place) > DEEPEST:
        yield f"{place[0]}: nested deeper than {DEEPEST} levels"
    elif isinstance(value, Mapping):
        for key, inner in cast(Mapping[str, object], value).items():
            if reason := _wrong_text(key):
                yield f"{_named((*place, key))}: its name {reason}"
            yield from _misfits(inner, (*place, key))
    elif isinstance(value, Sequence) and not isinstance(value, str | bytes):
        for number, inner in enumerate(cast(Sequence[object], value)):
            yield from _misfits(inner, (*place, str(number)))
    elif reason := _wrong(value):
        yield f"{_named(place)}: {reason}"


def _wrong(value: object) -> str:
    if isinstance(value, str):
        return _wrong_text(value)
    if isinstance(value, float) and not math.isfinite(value):
        return "is no finite number"
    if isinstance(value, int) and abs(value) > LARGEST_INTEGER:
        return "is a number beyond 64 bits"
    return ""


def _wrong_text(text: str) -> str:
    if "\0" in text:
        return "holds a NUL"
    return "holds half a character (a lone surrogate)" if sayable(text) != text else ""


def _named(place: tuple[str, ...]) -> str:
    return sayable(".".join(place)).replace("\0", "\\0") or "document"
