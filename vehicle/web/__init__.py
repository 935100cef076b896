"""The racer's console: a phone page on the car. It runs in comms, holds a lease of its own, and may die."""
