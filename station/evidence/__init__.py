"""Times that stand up to a protest: the journal verified, and the bundle that anybody can check."""
