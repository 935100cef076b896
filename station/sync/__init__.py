"""The sync service, a process of its own: posts the rows of the outbox to the leaderboard and records the answers."""
