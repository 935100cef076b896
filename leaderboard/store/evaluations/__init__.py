"""Reads and writes conditions, seeds, evaluations, claims and nodes, within the transaction of the caller."""
