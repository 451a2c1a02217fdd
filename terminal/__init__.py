"""How the command line shows things: tables, timelines and progress."""
