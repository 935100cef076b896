"""How the demo model is made: an expert that knows the track, and a network that learns to do it from pictures."""
