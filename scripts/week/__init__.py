"""A company's week, lived through day by day by the real commands, the real server and the real page."""
