"""What is stored, read for screens and answers."""
