"""What the doors see: plain, JSON-able views."""
