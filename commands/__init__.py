"""What a person can type: the commands of `jit` by group, and how one opens the installation."""
