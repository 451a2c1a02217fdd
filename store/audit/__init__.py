"""The tamper-evident log: staged, projected, hash-chained, and held against what the other database knows."""
