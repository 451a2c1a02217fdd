"""Spans and dates as suppliers write them: `2 to 6 weeks`, `end of June 2026`, `Q2 2026`, `2/23/2026`."""

import calendar
import re
from collections.abc import Iterator
from datetime import date

DAYS_OF_UNIT = {"day": 1, "week": 7, "month": 30, "quarter": 91, "year": 365}
WORDS = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
NAMES = [name.casefold() for name in calendar.month_name]
MONTHS = {name[:size]: number for size in (3, 4, None) for number, name in enumerate(NAMES) if name}
AMOUNT = rf"(?:\d{{1,3}}|{'|'.join(WORDS)})"
SPAN = re.compile(rf"\b(?:{AMOUNT}\s*(?:to|-|–)\s*)?({AMOUNT})[\s\-]*({'|'.join(DAYS_OF_UNIT)})s?\b")
MONTH = rf"\b({'|'.join(sorted(MONTHS, key=len, reverse=True))})\.?"
WRITTEN = re.compile(rf"(?<!\d\s)(?<!\d\.\s){MONTH}(?:\s+(\d{{1,2}})(?:st|nd|rd|th)?,?)?\s+(20\d\d)\b")
DAY_FIRST = re.compile(rf"\b(\d{{1,2}})\.?\s+{MONTH}\s+(20\d\d)\b")
ISO = re.compile(r"\b(20\d\d)-(\d\d)-(\d\d)\b")
AMERICAN = re.compile(r"\b(\d{1,2})/(\d{1,2})/(20\d\d)\b")
QUARTER = re.compile(r"\bq([1-4])\s*(20\d\d)\b")


def span_days(text: str) -> int:
    """The longest span of time that a text in small letters states, in days; 0 when it states none."""
    return max((_amount(found[1]) * DAYS_OF_UNIT[found[2]] for found in SPAN.finditer(text)), default=0)


def latest_date(text: str) -> date | None:
    """The last day that a text in small letters names; a month or a quarter means its end."""
    return max(_dates(text), default=None)


def _amount(written: str) -> int:
    return int(written) if written.isdigit() else WORDS.index(written) + 1


def _dates(text: str) -> Iterator[date]:
    written = [(found[3], MONTHS[found[1]], found[2]) for found in WRITTEN.finditer(text)]
    written += [(found[3], MONTHS[found[2]], found[1]) for found in DAY_FIRST.finditer(text)]
    written += [(found[1], int(found[2]), found[3]) for found in ISO.finditer(text)]
    written += [(found[3], int(found[1]), found[2]) for found in AMERICAN.finditer(text)]
    written += [(found[2], 3 * int(found[1]), None) for found in QUARTER.finditer(text)]
    for year, month, day in written:
        if 1 <= month <= 12:
            last = calendar.monthrange(int(year), month)[1]
            yield date(int(year), month, min(max(int(day), 1), last) if day else last)
