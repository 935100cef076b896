"""What the leaderboard stores: SQLite embedded, PostgreSQL by URL."""
