"""What people decide of orders: signatures, edits, and what a ruling tells later plans."""
