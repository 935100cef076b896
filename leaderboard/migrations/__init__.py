"""The steps by which the tables came to be what they are; applied when the leaderboard opens its store."""
