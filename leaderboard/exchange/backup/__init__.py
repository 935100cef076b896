"""The whole leaderboard in one file, and back into SQLite or PostgreSQL from either."""
