"""Whether the numbers in a model's words are numbers that were computed: a model words figures, it makes none."""

import re
from collections.abc import Iterable, Sequence

TOKEN = re.compile(r"[^\W_][\w.,:#/+\-]*")
NUMBER = re.compile(r"\d[\d,]*(?:\.\d+)?(?:e[+-]?\d+)?", re.IGNORECASE)
SCALED = re.compile(r"(\d[\d,]*(?:\.\d+)?)([^\W\d_]+)")
SCALES = {"k": 1e3, "m": 1e6, "mn": 1e6, "mio": 1e6, "million": 1e6, "bn": 1e9}
PER_CENT = re.compile(r"\s?(%|per ?cent)", re.IGNORECASE)
SPELLED = re.compile(
    r"\b(eleven|twelve|(?:thir|four|fif|six|seven|eigh|nine)(?:teen|ty)|twenty|forty|dozen|hundred|thousand|million)s?\b",
    re.IGNORECASE,
)
LARGEST_SHARE = 10.0
"""Values up to here may be written as a percentage."""


def numbers_in(text: str) -> tuple[str, ...]:
    """The numbers of a text as written, without their units; digits inside ids do not count."""
    parts = [part for token, _ in _tokens(text) if token[0].isdigit() for part in _parts(token)]
    bare = [scaled[1] if (scaled := SCALED.fullmatch(part)) else part for part in parts]
    return tuple(part for part in bare if NUMBER.fullmatch(part))


def unknown_numbers(text: str, known_text: str) -> tuple[str, ...]:
    """Numbers, dates and numbered ids of `text` that do not stand in `known_text`.

    A number may be rounded, and a share written as a percentage. Numbers in words from eleven on are never known:
    a figure is written in digits.
    """
    known = [_value(number) for number in numbers_in(known_text)]
    strange = [token for token, share in _tokens(text) if not _is_known(token, share, known, known_text)]
    return (*strange, *(found[0] for found in SPELLED.finditer(text)))


def _tokens(text: str) -> list[tuple[str, bool]]:
    """Words with a digit, and whether a percent sign follows."""
    found: list[tuple[str, bool]] = []
    for match in TOKEN.finditer(text):
        token = match[0].rstrip(".,:#/+-")
        if any(mark.isdigit() for mark in token):
            found.append((token, PER_CENT.match(text, match.start() + len(token)) is not None))
    return found


def _parts(token: str) -> list[str]:
    """A range, a date or a fraction is several numbers."""
    if NUMBER.fullmatch(token):
        return [token]
    return [part for part in re.split(r"[:/+\-]", token) if part]


def _is_known(token: str, share: bool, known: Sequence[float], known_text: str) -> bool:
    if not NUMBER.fullmatch(token) and _stands_in(token, known_text):
        return True
    if not token[0].isdigit():
        return all(_stands_in(part, known_text) for part in _parts(token) if re.search(r"\d", part))
    return all(_is_known_part(part, share, known, known_text) for part in _parts(token) if re.search(r"\d", part))


def _is_known_part(part: str, share: bool, known: Sequence[float], known_text: str) -> bool:
    scaled = SCALED.fullmatch(part)
    number, unit = (scaled[1], scaled[2].casefold()) if scaled else (part, "")
    if not NUMBER.fullmatch(number):
        return _stands_in(part, known_text)
    scale = SCALES.get(unit, 1.0)
    return _matches(_value(number), _decimals(number), [other / scale for other in known], share)


def _stands_in(word: str, known_text: str) -> bool:
    return re.search(rf"(?<!\w){re.escape(word)}(?!\w)", known_text, re.IGNORECASE) is not None


def _value(number: str) -> float:
    return float(number.replace(",", ""))


def _decimals(number: str) -> int:
    return len(number.partition(".")[2])


def _matches(value: float, decimals: int, known: Iterable[float], share: bool) -> bool:
    half = 0.5 * 10.0**-decimals + 1e-9
    return any(
        abs(value - other) <= half or (share and other <= LARGEST_SHARE and abs(value - 100.0 * other) <= half)
        for other in known
    )
