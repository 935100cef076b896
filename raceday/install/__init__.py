"""Puts a role (station, car, leaderboard) onto a machine, and keeps it up to date: `raceday install`."""
