"""Seasons, events, races and series as people organise them: services over the store. Nothing here reads a clock."""
