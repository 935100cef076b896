"""The mock world: tracks, a car with its camera, gates; and the model that learned to drive in it."""
