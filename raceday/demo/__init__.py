"""`raceday demo`: starts every process on one machine, runs a race and shows it live."""
