"""The stop button and the start lights at the track, as the service runs them."""
