"""The mock world: tracks, a car with its camera, gates; and the demo model that was trained in it."""
