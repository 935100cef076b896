"""The list of all runs of all races, for the officials."""
