"""`raceday submit`: sends a model to a leaderboard, submits it to a virtual race, and says what becomes of it."""
