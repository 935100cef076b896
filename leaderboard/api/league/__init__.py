"""The routes of races, seasons, events and series."""
