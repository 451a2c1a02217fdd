"""Copies of one moment, and putting them back."""
