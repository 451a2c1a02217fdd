"""Days that planning can count from: far enough from both ends of the calendar to add and take off years."""

from datetime import date
from typing import Annotated

from pydantic import Field

FIRST_DAY = date(1900, 1, 1)
LAST_DAY = date(2199, 12, 31)

PlanningDay = Annotated[date, Field(ge=FIRST_DAY, le=LAST_DAY)]
"""A clock of the data."""
StartDay = Annotated[date, Field(le=LAST_DAY)]
"""When something begins; what began long ago is over and hurts nothing."""
