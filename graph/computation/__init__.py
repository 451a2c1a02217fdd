"""What is computed from a dataset, made once: estimates, problems, options and plans."""
