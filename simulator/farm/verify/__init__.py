"""`raceday verify`: drives what a leaderboard has as a result again, and says whether it is so."""
