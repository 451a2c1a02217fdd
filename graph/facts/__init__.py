"""What a run's nodes and gates know: order lines in facts, earlier plans, earlier decisions, drift."""
