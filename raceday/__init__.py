"""The roof: the `raceday` command, and the demo that starts everything."""
