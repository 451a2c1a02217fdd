"""Figures as people read them."""

from datetime import datetime, timedelta

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
    if not isinstance(found, datetime):
        return ""
    return f"{found:%d %b %H:%M} UTC" if found.utcoffset() == timedelta(0) else f"{found:%d %b %H:%M}"


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


def source_words(source: str) -> str:
    """The id of a stored fact as people say it."""
    kind, colon, rest = source.partition(":")
    if not colon:
        return source
    if kind == "line":
        item, _, more = rest.partition("|")
        supplier = more.partition("|")[0]
        return f"Order line {item} · {supplier}" if supplier else f"Order line {item}"
    if kind == "verdict":
        return f"Gate {words(rest.partition(':')[0]).lower()}"
    return f"{words(kind)} {rest.split(':')[0]}"
