"""The workbench's tabs, one file each."""
