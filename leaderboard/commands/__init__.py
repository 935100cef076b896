"""What the leaderboard's command does beside serving: import, export, back up and restore."""
