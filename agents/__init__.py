"""Choices among computed options: planner, risk, negotiator, analyst; rule-based twins and language models."""
