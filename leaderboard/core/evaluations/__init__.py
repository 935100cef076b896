"""How submissions are evaluated: whose turn it is, by which seeds, what the runs make, whose results are right."""
