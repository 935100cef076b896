"""Backup and restore of everything that the station knows."""
