"""What the mock world's cameras see through other lenses, and on drives over the gate's line."""
