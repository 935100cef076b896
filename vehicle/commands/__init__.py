"""The car's commands: one file each, called by `raceday`."""
