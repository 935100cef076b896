"""Evaluations of submissions: conditions and seeds of races, claims of farms, what runs come to."""
