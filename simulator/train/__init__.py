"""Training of the demo model: an expert that knows the track, and a network that imitates it from pictures."""
