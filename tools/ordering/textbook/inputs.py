"""Checks of what the textbook formulas are given."""

import math

from tools.domain.errors import BadInput


def require_positive(**values: float) -> None:
    """Refuse a value that is not a finite number above 0, by its name."""
    for name, value in values.items():
        if not (math.isfinite(value) and value > 0):
            raise BadInput(
                f"{name} must be a number above 0, not {value:g}.",
                remedy=f"Give a {name} above 0: the formula divides by it.",
                name=name,
                value=value,
            )


def require_nonnegative(**values: float) -> None:
    """Refuse a value that is not a finite number of at least 0, by its name."""
    for name, value in values.items():
        if not (math.isfinite(value) and value >= 0):
            raise BadInput(
                f"{name} must be a number of at least 0, not {value:g}.",
                remedy=f"Give a {name} of at least 0.",
                name=name,
                value=value,
            )


def require_probability(**values: float) -> None:
    """Refuse a value that is not above 0 and at most 1, by its name."""
    for name, value in values.items():
        if not 0 < value <= 1:
            raise BadInput(
                f"{name} must be above 0 and at most 1, not {value:g}.",
                remedy=f"Give {name} as a probability, for example 0.05.",
                name=name,
                value=value,
            )
