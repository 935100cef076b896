"""Backup, restore, and what can be saved of a damaged journal."""
