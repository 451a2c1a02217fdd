"""Worlds: folders in the canonical schema, generated from a seed."""
