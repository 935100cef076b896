"""The HTTP contract: results in, standings out; a thin shell over `leaderboard.board`."""
