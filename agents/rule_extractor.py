"""The rule-based extractor: reads kind, known ids, days and remaining supply from a notice by fixed patterns."""

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import date

from agents.contracts import ExtractedAlert
from agents.dates import latest_date, span_days
from tools.domain.alerts import AlertKind

MAX_CHARACTERS = 8000
MAX_DELAY_DAYS = 730
ASSUMED_DELAY_DAYS = 30
"""Of a delay, or a recovery that is still to be determined, when the notice states no time; its confidence is low."""
ASSUMED_ALLOCATION = 0.5
"""Share of normal supply when a notice says that supply is limited, but not how far."""
STATED, ASSUMED = 0.6, 0.4
"""Confidence of a reading whose figures the notice states, and of one with an assumed figure."""

BACK = r"resolved|recovered|resum(?:ed|ing)|back in stock|available again|no longer (?:short|delayed|on \w+)"
FREE = r"\b(?:no|not|without|never)\s+(?:(?:a|an|any|yet|been|further|currently|longer|expected)\s+)*"
ENDING = r"discontinu\w*|no longer (?:be )?(?:manufactured|made|produced|sold)|not currently manufactured"
CEASING = r"cease (?:manufactur\w*|distribution)|not be available after|distribution will end|end of life"
HOLD = (
    r"quality (?:hold|issues?|problems?|defects?|investigation|failure)|on hold"
    r"|recall\w*|contaminat\w*|quarantin\w*|good manufacturing practices?|gmp"
)
DOWN = (
    r"fire|flood\w*|strikes?|shut\s?down|earthquake|explosion|power (?:outage|failure)"
    r"|(?:plant|site|factory|line|port|border|warehouse)s? (?:is |are |has |have |was |were |been )*"
    r"(?:closed|closure|down)"
)
CUT = (
    r"allocat\w*|capacity|limited (?:supply|availability|distribution)|reduced (?:supply|output)|primary customers only"
)
SHORT = r"shortages?|unavailable|out of stock|back\s?-?order\w*|stock-?out|sold out|demand increase|depleted|exhaust\w*"
LATE = (
    r"delay\w*|late|later|slip\w*|postpon\w*|behind schedule|recovery|resupply|next (?:delivery|release|supply)"
    r"|(?:estimated|expected) availability|supply anticipated|in transit|as it is released|additional lots"
)
PRICED = r"price (?:increase|rise|change|adjustment|list)s?|new prices?|surcharges?"
PATTERNS: tuple[tuple[AlertKind, re.Pattern[str]], ...] = tuple(
    (kind, re.compile(rf"\b(?:{words})\b"))
    for kind, words in (
        (AlertKind.RECOVERED, BACK),
        (AlertKind.DISCONTINUED, f"{ENDING}|{CEASING}"),
        (AlertKind.QUALITY_HOLD, HOLD),
        (AlertKind.SITE_DOWN, DOWN),
        (AlertKind.CAPACITY_CUT, CUT),
        (AlertKind.SHORTAGE, SHORT),
        (AlertKind.DELAY, LATE),
        (AlertKind.PRICE_CHANGE, PRICED),
        (AlertKind.RECOVERED, "available"),
    )
)
"""What a notice reports, the graver before the milder; a bare `available` counts only when nothing is wrong."""
DENIED = re.compile(rf"{FREE}(?:{ENDING}|{HOLD}|{SHORT}|{LATE}|{BACK}|allocat\w*)\b")
"""`no delay`, `not resolved`, `without shortage`: said of what did not happen."""
SHARE = re.compile(r"(\d{1,3}(?:\.\d+)?)\s*(?:%|per ?cent)")
NOTHING_SHIPS = (AlertKind.SHORTAGE, AlertKind.QUALITY_HOLD, AlertKind.SITE_DOWN, AlertKind.DISCONTINUED)


class RuleExtractor:
    """Reads by fixed patterns; nothing in a text but kind, ids, a time and a share has any effect."""

    def extract(
        self,
        text: str,
        known_ids: Sequence[str],
        item_ids: Sequence[str] = (),
        *,
        names: Mapping[str, str] | None = None,
        received: date | None = None,
    ) -> ExtractedAlert | None:
        """None when the text names no known id or nothing that happened."""
        lowered = " ".join(text[:MAX_CHARACTERS].casefold().split())
        named = named_ids(lowered, known_ids, names or {})
        kind = kind_of(lowered)
        if not named or kind is None:
            return None
        items = set(item_ids)
        node_id = next((known for known in named if known not in items), named[0])
        days, certain = _delay(lowered, kind, received)
        share, given = _remaining(lowered, kind)
        return ExtractedAlert(
            kind=kind,
            node_id=node_id,
            item_ids=tuple(known for known in named if known in items and known != node_id),
            delay_days=days,
            capacity_fraction=share,
            confidence=STATED if certain and given else ASSUMED,
        )


def kind_of(lowered: str) -> AlertKind | None:
    """What a notice in small letters reports, or None."""
    said = DENIED.sub(" ", lowered)
    return next((kind for kind, pattern in PATTERNS if pattern.search(said)), None)


def named_ids(lowered: str, known_ids: Iterable[str], names: Mapping[str, str]) -> list[str]:
    """The known ids in a text in small letters, by id or by name, in the order of the text.

    An id inside a longer one that is known too (S1 in S1-B) does not count.
    """
    found: dict[tuple[int, int], str] = {}
    for known in known_ids:
        for written in (known, names.get(known, "")):
            span = _span_of(written.casefold(), lowered)
            if span:
                found.setdefault(span, known)
    outer = [
        span
        for span in found
        if not any(other != span and other[0] <= span[0] and span[1] <= other[1] for other in found)
    ]
    return list(dict.fromkeys(found[span] for span in sorted(outer)))


def _span_of(written: str, lowered: str) -> tuple[int, int] | None:
    if not written or written not in lowered:
        return None
    match = re.search(rf"(?<!\w){re.escape(written)}(?!\w)", lowered)
    return match.span() if match else None


def _delay(lowered: str, kind: AlertKind, received: date | None) -> tuple[int, bool]:
    """Days of delay, and whether the notice states them. What recovered or ended for good is not late."""
    if kind in (AlertKind.RECOVERED, AlertKind.DISCONTINUED):
        return 0, True
    until = latest_date(lowered)
    stated = (until - received).days if until and received else span_days(lowered)
    if stated > 0:
        return min(MAX_DELAY_DAYS, stated), True
    return (ASSUMED_DELAY_DAYS if kind is AlertKind.DELAY else 0), kind is not AlertKind.DELAY


def _remaining(lowered: str, kind: AlertKind) -> tuple[float, bool]:
    """Share of normal supply that remains, and whether the notice states it."""
    if kind in NOTHING_SHIPS:
        return 0.0, True
    if kind is not AlertKind.CAPACITY_CUT:
        return 1.0, True
    shares = [float(found[1]) / 100 for found in SHARE.finditer(lowered)]
    if not shares or shares[0] > 1:
        return ASSUMED_ALLOCATION, False
    lost = re.search(r"\b(?:by|cut of|loss of|less|lost|minus)\s+(?:about |around )?\d", lowered) is not None
    return (1 - shares[0] if lost else shares[0]), True
