"""Leaderboards that take something other than the contract: drivers of `raceday.leaderboards` beside `webhooks`."""
