"""The whole programme by a solver: alone, in parts, and what it proves."""
