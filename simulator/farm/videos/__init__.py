"""Videos of runs, made by a farm that has nothing to drive."""
