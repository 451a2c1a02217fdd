"""The sourcing run as a graph, its state, its doors and its journal."""
