"""Figures as people say them: money and needs to two digits, whole days, dates in words."""

from datetime import date
from math import floor, isfinite, log10

DIGITS = 2
"""Significant digits of what is only estimated."""
FAR_DAYS = 300
"""Days from which a date is said with its year."""
NOUN_LETTERS = 3
"""Letters from which a unit in lower case is a noun that takes a plural: pack, box; not kg or EA."""
SAME_IN_PLURAL = ("each", "pcs", "pieces")


def rounded(value: float) -> float:
    """To two significant digits."""
    if value == 0 or not isfinite(value):
        return value
    return round(value, DIGITS - 1 - floor(log10(abs(value))))


def about(value: float) -> str:
    """An estimate: "4,500", "0.37"."""
    near = rounded(value)
    return f"{near:,.0f}" if abs(near) >= 10 or near == int(near) else f"{near:g}"


def exactly(value: float) -> str:
    """A quantity that is ordered, in all its digits: "1,280", "2.5"."""
    return f"{value:,.0f}" if value == int(value) else f"{value:,.4f}".rstrip("0").rstrip(".")


def named(name: str, known_id: str) -> str:
    """Name and id: "Nutmeg Trading (S15)"; the id alone where there is no name."""
    return known_id if name in ("", known_id) else f"{name} ({known_id})"


def money(value: float, currency: str) -> str:
    """An amount as people say it: "4,500 USD"."""
    return f"{about(value)} {currency}"


def of_units(number: str, uom: str, count: float) -> str:
    """A number with its unit: "1,280 packs", "1 pack", "20 kg"."""
    is_noun = uom.isalpha() and uom.islower() and len(uom) >= NOUN_LETTERS and uom not in SAME_IN_PLURAL
    if count == 1 or not is_noun or uom.endswith("s"):
        return f"{number} {uom}".strip()
    return f"{number} {uom}{'es' if uom.endswith(('x', 'ch', 'sh')) else 's'}"


def days(count: float) -> str:
    """Whole days: "9 days", "1 day"."""
    whole = round(count)
    return f"{whole:,} day" if whole == 1 else f"{whole:,} days"


def on_day(day: date, today: date) -> str:
    """A date in words: "7 July", with the year where it is far off."""
    named = f"{day.day} {day:%B}"
    return named if (day - today).days < FAR_DAYS else f"{named} {day.year}"


def share(probability: float) -> str:
    """A probability in whole per cent; what is neither sure nor impossible is not called so."""
    percent = round(100 * probability)
    if percent == 0 and probability > 0:
        return "under 1 %"
    if percent == 100 and probability < 1:
        return "over 99 %"
    return f"{percent} %"
