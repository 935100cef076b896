"""`raceday doctor`: what is installed on this machine, whether it is allowed and works, and what cures the rest."""
