"""Figures and ids as an analyst reads them. Values come computed; here they are only rounded for display."""

import os
import shutil
import sys
from datetime import datetime
from pathlib import Path

MILLION, THOUSAND = 1e6, 1e3
SHORT_FROM = 9_999.5
"""Amounts from here on are shown in thousands (k), from a million on in millions (M)."""


def amount(value: float) -> str:
    """Money or another large figure with three to five digits: 5,158 · 96.4 k · 30.9 M."""
    size = abs(value)
    if size >= 999.95 * THOUSAND:
        return f"{value / MILLION:,.1f} M"
    if size >= SHORT_FROM:
        return f"{value / THOUSAND:,.1f} k"
    return f"{value:,.0f}" if size >= 100 or value == int(value) else f"{value:,.2f}"


def units(value: float) -> str:
    """A quantity: whole when it is whole."""
    return f"{value:,.0f}" if abs(value - round(value)) < 0.005 else f"{value:,.2f}"


def rough(value: float) -> str:
    """A figure of a calculation, to three digits at least."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:,.3g}"


def share(value: float, digits: int = 1) -> str:
    """A fraction as per cent."""
    return f"{value:.{digits}%}".replace("%", " %")


def count(number: int, noun: str, many: str = "") -> str:
    """A number with its noun: 1 order, 12 orders."""
    return f"{number:,} {noun if number == 1 else many or noun + 's'}"


def seconds(value: float) -> str:
    """A duration."""
    return f"{value * 1000:,.0f} ms" if value < 0.0995 else f"{value:,.1f} s"


def moment(at: datetime) -> str:
    """A time in the reader's own zone."""
    return f"{at.astimezone():%Y-%m-%d %H:%M:%S}"


def subject(text: str) -> str:
    """A gate's subject in short: `I001|S01|ocean|DC1#0` is I001 from S01, `run-…/S01/DC1/auto` is order S01/DC1."""
    if "|" in text:
        item, supplier = text.split("|")[:2]
        return f"{item} from {supplier}"
    if text.startswith("run-") and "/" in text:
        return "order " + "/".join(text.split("/")[1:3])
    return text


def program() -> str:
    """How this program is called here: `jit` when the shell finds it, else its path."""
    called = Path(sys.argv[0])
    found = shutil.which("jit")
    if found is None and called.name == "jit" and called.exists():
        here = Path(os.path.relpath(called))
        return str(here if len(str(here)) < len(str(called)) else called)
    return "jit"
