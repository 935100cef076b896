"""Seasons, events, races and series as people organise them, who sees a race and takes part in it: services.

They work over the store. Nothing here reads a clock.
"""
