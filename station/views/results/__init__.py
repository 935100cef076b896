"""The results of one race, complete: for results pages, exports and the read-only API."""
