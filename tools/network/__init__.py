"""The supply graph: disruption propagation and exposure."""

from tools.network.disruption import Disruption, ItemExposure
from tools.network.exposure import exposure
from tools.network.graph import build_graph
from tools.network.propagation import propagate

__all__ = ["Disruption", "ItemExposure", "build_graph", "exposure", "propagate"]
