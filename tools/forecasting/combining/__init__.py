"""What a forecast takes from others: siblings of a new item, the family's total, the user's own forecast."""
