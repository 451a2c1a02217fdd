"""What a buyer reads of lines, items and risks, from typed facts; built nowhere else."""

from tools.wording.figures import named
from tools.wording.lines import LineFacts, Stage, Told, told_of_line
from tools.wording.risks import RiskFacts, told_of_risk
from tools.wording.stock import StockFacts, told_of_stock

__all__ = [
    "LineFacts",
    "RiskFacts",
    "Stage",
    "StockFacts",
    "Told",
    "named",
    "told_of_line",
    "told_of_risk",
    "told_of_stock",
]
