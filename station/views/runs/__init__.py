"""Views of runs: the list of all runs, one run with its history, its trace, and what officials did in words."""
