"""The `raceday` command, and the demo that starts every process on one machine."""
