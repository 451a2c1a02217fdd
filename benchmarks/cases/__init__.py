"""The cases that benchmarks measure on: worlds, records, lanes, instances and peers."""
