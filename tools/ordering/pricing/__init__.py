"""Candidates with their prices: of some items, of a catalogue, and held to floors of service."""
