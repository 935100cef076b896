"""The pages of seasons: standing, teams, prizes, records, brackets."""
