"""The rules of seasons: points, standings, divisions, teams, brackets, prizes, records, chances. Pure."""
