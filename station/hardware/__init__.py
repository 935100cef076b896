"""What stands at the track beside the gates: the button that stops all cars, and the start lights."""
