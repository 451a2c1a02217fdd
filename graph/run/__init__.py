"""One run: its state, nodes, gates and edges, what drives it, and what stays of it."""
