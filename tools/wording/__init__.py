"""What a buyer reads of a line: one sentence and at most three reasons, from typed facts; built nowhere else."""

from tools.wording.lines import LineFacts, Stage, Told, told_of_line
from tools.wording.stock import StockFacts, told_of_stock

__all__ = ["LineFacts", "Stage", "StockFacts", "Told", "told_of_line", "told_of_stock"]
