"""What surrounds a run: its sectors, what is announced of it, the start lights and the stop button."""
