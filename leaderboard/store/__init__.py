"""What the leaderboard keeps: SQLite embedded, PostgreSQL by URL."""
