"""What the program decides over known worlds, written down so that a change of form can be shown to change nothing."""
