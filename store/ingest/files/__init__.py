"""What files hold: found, read as they are, their shapes, and their cells made plain."""
