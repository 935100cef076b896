"""The migrations of the tables, oldest first; applied when the leaderboard opens its store."""
