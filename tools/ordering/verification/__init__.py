"""Whether an order plan keeps every rule of its problem, told without the code that made it."""
