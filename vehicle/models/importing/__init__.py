"""From a racer's archive to a model in the library: readers that trust nothing."""
