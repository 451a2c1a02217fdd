"""Figures as people read them."""

from datetime import datetime

SHORT_HASH = 10


def money(value: float, currency: str = "") -> str:
    """Whole units from 1,000 on, cents below."""
    shown = f"{value:,.0f}" if abs(value) >= 1000 else f"{value:,.2f}"
    return f"{shown} {currency}".strip()


def quantity(value: float, unit: str = "") -> str:
    """No decimals unless they say something."""
    shown = f"{value:,.0f}" if value == round(value) or abs(value) >= 100 else f"{value:,.4g}"
    return f"{shown} {unit}".strip()


def percent(share: float) -> str:
    """A share as a percentage."""
    return f"{share:.1%}" if 0.0005 < abs(share) < 0.9995 else f"{share:.0%}"


def short(content_hash: str) -> str:
    """The beginning of a hash."""
    return content_hash[:SHORT_HASH]


def when(at: datetime | str | None) -> str:
    """Day and minute."""
    if at is None:
        return ""
    found = datetime.fromisoformat(at) if isinstance(at, str) and at else at
    return found.strftime("%d %b %H:%M") if isinstance(found, datetime) else ""


def seconds(value: float) -> str:
    """A duration."""
    return f"{value * 1000:,.0f} ms" if value < 1 else f"{value:,.1f} s"


def words(name: str) -> str:
    """A figure's or rule's name as words."""
    return name.replace("_", " ").replace("-", " ").strip().capitalize()


def plain(value: object) -> str:
    """A value of a status or a journal row on one line."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return quantity(value)
    if isinstance(value, dict):
        return " · ".join(f"{words(str(key)).lower()} {plain(one)}" for key, one in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(plain(one) for one in value)
    return "" if value is None else str(value)
