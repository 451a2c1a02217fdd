"""Why a line is as it is, in figures: sources, quantities, limits, conflicts, and prices to walk away at."""
