"""`raceday demo`: starts every process on one machine, races, and shows it live."""
