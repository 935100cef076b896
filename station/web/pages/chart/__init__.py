"""The lap chart of the race."""
