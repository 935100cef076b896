"""Learning from an expert: the drives, their labels' cars, the rounds, and the report beside the model."""
