"""Many mock worlds at once, stepped and drawn by compiled code: the base of training, evaluation and the farm."""
