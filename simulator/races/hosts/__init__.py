"""The station, the leaderboard and their files inside a simulated race: started, killed and monitored."""
