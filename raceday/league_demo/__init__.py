"""`raceday demo --league`: serves a season that simulated racers drove, so that everybody sees the same league."""
