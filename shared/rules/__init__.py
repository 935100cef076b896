"""The rules that station and leaderboard apply alike: ranking, names of people, track lengths, and their wording."""
