"""What several tabs show: charts, tables, the drawer of a line, figures and sentences."""
