"""Names of people: which of them could pass for one another."""

import unicodedata
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import cast


def may_be_taken_for(one: str, other: str) -> bool:
    """Whether two names are one person's to a reader: but for case, width, spacing, and letters that look alike.

    Skeletons of confusable letters as in Unicode Technical Standard 39, section 4; ignoring case they are compared
    before and after folding, since `0` looks like `O` and not like `o`.
    """
    return bool(_appearances(one) & _appearances(other))


def plain_name(name: str) -> str:
    """A name without differences of case, width and spacing."""
    return "".join(unicodedata.normalize("NFKC", name).casefold().split())


def _appearances(name: str) -> frozenset[str]:
    shown = "".join(unicodedata.normalize("NFKC", name).split())
    return frozenset({_skeleton(shown).casefold(), _skeleton(shown.casefold()).casefold()})


def _skeleton(text: str) -> str:
    decomposed = unicodedata.normalize("NFD", text)
    return unicodedata.normalize("NFD", "".join(_prototype(letter) for letter in decomposed))


@lru_cache(maxsize=4096)
def _prototype(letter: str) -> str:
    """The letters that stand for all that look like this one: the table names them alone, or names all of theirs."""
    alike = _alike(letter)
    if len(alike) != 1:
        return letter
    (other,) = alike
    mutual = _alike(other) == (letter,)
    return max(letter, other, key=lambda found: (len(found), found)) if mutual else other


def _alike(letters: str) -> tuple[str, ...]:
    return tuple(str(found["c"]) for found in _table().get(letters, ()))


@lru_cache(maxsize=1)
def _table() -> Mapping[str, Sequence[Mapping[str, str]]]:
    from confusable_homoglyphs import confusables

    return cast(Mapping[str, Sequence[Mapping[str, str]]], confusables.confusables_data)  # pyright: ignore
