"""Speed and optimality, each beside a peer or a bound: `python -m benchmarks.NAME [--quick]`."""
