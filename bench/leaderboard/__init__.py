"""Benchmarks of the leaderboard."""
