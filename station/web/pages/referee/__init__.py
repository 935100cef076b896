"""The referee's page: the cars as tiles, incidents by thumb, and what the referee did last."""
