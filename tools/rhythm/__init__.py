"""How demand is recorded: by day, week or month, dated at the start or the end, and up to when it is reported."""

from tools.rhythm.grid import Grid
from tools.rhythm.reading import Rhythm, Rhythms, read_rhythms
from tools.rhythm.reporting import Reporting, read_reporting
from tools.rhythm.wording import reporting_words

__all__ = ["Grid", "Reporting", "Rhythm", "Rhythms", "read_reporting", "read_rhythms", "reporting_words"]
