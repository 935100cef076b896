"""A racer's model: what it may be, what it means, how it is run. It comes from outside: hostile until checked."""
