"""The station's commands: one file each, called by `raceday`."""
