"""Versioned datasets: staged, shelved, derived, and loaded as values."""
