"""What follows from the races of a season: standings, divisions, teams, titles, brackets."""
