"""Whole races on virtual time: cars as lap-time processes, the real station, sync and leaderboard, seeded faults."""
