"""The guard process: it alone owns the motors."""
