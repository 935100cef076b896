"""What people see of sync and ask of it: status, requests to send, pause, and the comparison with the leaderboard."""
