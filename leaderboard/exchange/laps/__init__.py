"""Runs with their laps from other programs: the event manager and the simulator."""
