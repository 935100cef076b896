"""The archive of runs: an index of all runs and rulings, officials' own acts with their undo, and traces of a run."""
