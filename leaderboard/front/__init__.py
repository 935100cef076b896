"""What every request to the leaderboard passes before its route, and what is taken of its body."""
