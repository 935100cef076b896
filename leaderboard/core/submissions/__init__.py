"""Submissions of models to virtual races: their states, their quotas, what an archive looks like. Pure."""
