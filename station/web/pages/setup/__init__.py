"""The set-up wizard: what a new station needs before its first race, step by step."""
