"""Race control, for the officials."""
