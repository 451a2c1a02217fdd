"""What was found of the rhythm of demand, in a buyer's words."""

def reporting_words() -> None:
    """Later."""
