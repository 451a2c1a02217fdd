"""What must hold after each step."""
