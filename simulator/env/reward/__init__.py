"""A racer's reward function, and the parameters of the field that it is called with."""
