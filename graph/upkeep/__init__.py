"""Homes: diagnosis, backups, restores, and homes of earlier versions."""
