"""Limits that items share: one candidate each within budget, storage, capacity and least order values."""
