"""Training by reinforcement: recipe, learner, checkpoints, and what it writes while it goes."""
