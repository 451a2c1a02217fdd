"""The company that is lived in: its home, server, office, pages and books."""
