"""The rules that station and leaderboard apply alike: ranking, names of people, lengths of tracks, and their wording."""
