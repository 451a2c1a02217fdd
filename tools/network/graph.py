"""The multi-tier supply network as a directed graph: an edge runs from what is depended on to what depends."""

from collections import defaultdict
from collections.abc import Iterable
from typing import TYPE_CHECKING, TypeAlias

from tools.domain.catalogue import Relation
from tools.domain.datasets import Dataset

if TYPE_CHECKING:
    import networkx as nx

Graph: TypeAlias = "nx.MultiDiGraph[str]"

UPSTREAM_IS_TARGET = frozenset(
    {Relation.MADE_FROM, Relation.MADE_AT, Relation.LOCATED_IN, Relation.OWNED_BY, Relation.SHIPS_THROUGH}
)
"""Relations whose `to` end is depended on by the `from` end; `supplies` runs the other way."""

SUPPLIES = Relation.SUPPLIES.value


def build_graph(dataset: Dataset) -> Graph:
    """Suppliers, items and every linked node; offers count as `supplies` edges from supplier to item."""
    import networkx as nx

    graph: Graph = nx.MultiDiGraph()
    graph.add_nodes_from((key, {"kind": "supplier"}) for key in dataset.suppliers)
    graph.add_nodes_from((key, {"kind": "item"}) for key in dataset.items)
    for supplier_id, item_id in sorted({(offer.supplier_id, offer.item_id) for offer in dataset.offers}):
        graph.add_edge(supplier_id, item_id, relation=SUPPLIES)
    for supplier in dataset.suppliers.values():
        if supplier.parent_id:
            graph.add_edge(supplier.parent_id, supplier.supplier_id, relation=Relation.OWNED_BY.value)
    for link in dataset.links:
        upstream, downstream = link.from_id, link.to_id
        if link.relation in UPSTREAM_IS_TARGET:
            upstream, downstream = downstream, upstream
        graph.add_edge(upstream, downstream, relation=link.relation.value)
    return graph


class Dependencies:
    """What each node depends on, by relation, each once and in id order."""

    def __init__(self, graph: Graph) -> None:
        found: dict[tuple[str, str], set[str]] = defaultdict(set)
        self._downstream: dict[str, set[str]] = defaultdict(set)
        for source, target, relation in graph.edges(data="relation"):
            found[target, str(relation)].add(source)
            self._downstream[source].add(target)
        self._suppliers = frozenset(
            source for (_, kind), sources in found.items() if kind == SUPPLIES for source in sources
        )
        self._sources = {key: tuple(sorted(sources)) for key, sources in found.items()}

    def of(self, node_id: str, relation: Relation) -> tuple[str, ...]:
        """The nodes that it depends on by this relation."""
        return self._sources.get((node_id, relation.value), ())

    def supplies_nobody(self, node_id: str) -> bool:
        """Whether no link says whom the node delivers to."""
        return node_id not in self._suppliers

    def reached_from(self, node_id: str) -> set[str]:
        """Every node that depends on this one, itself included."""
        reached, open_nodes = {node_id}, [node_id]
        while open_nodes:
            new = self._downstream.get(open_nodes.pop(), set()) - reached
            reached |= new
            open_nodes += new
        return reached


def route_text(path: Iterable[str]) -> str:
    """A path in words."""
    return " → ".join(path)
