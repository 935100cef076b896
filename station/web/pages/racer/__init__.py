"""A racer's own page: place, what beats it, runs and laps, the next start, and what is on file."""
