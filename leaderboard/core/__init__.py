"""The leaderboard without I/O: races, ranks, accounts, seasons. Time is an argument."""
