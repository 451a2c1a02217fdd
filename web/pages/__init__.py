"""The workbench: pages that render the session's views and nothing else."""
