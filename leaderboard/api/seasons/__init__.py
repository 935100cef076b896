"""The routes of what follows from seasons: standings, teams, divisions, prizes, records, brackets."""
