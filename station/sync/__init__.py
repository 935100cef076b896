"""The sync service, a process of its own: posts due outbox rows to the leaderboard and records the answers."""
