"""Versioned policy gates: facts in, verdicts out. Deny beats require_approval beats allow."""
