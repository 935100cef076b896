"""The pages of the station, each in a folder of its own, and the table that lists them (registry.py)."""
