"""What a schedule is to decide: items over periods under shared limits, in arrays."""
