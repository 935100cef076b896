"""What station and leaderboard share of signing in: tokens, hashed pass codes, waits after wrong tries."""
