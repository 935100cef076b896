"""Evidence for protests: a run recomputed from the journal, and the bundle that anybody can check."""
