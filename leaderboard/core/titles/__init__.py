"""Titles of a season: its rules, prizes, records, and who can still win. Pure."""
