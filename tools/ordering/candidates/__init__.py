"""Candidate orders: which sources, alone and combined, and quantities found around the best of them."""
