"""Files of an event beside the journal: its tracks, and the races that the leaderboard should have."""
