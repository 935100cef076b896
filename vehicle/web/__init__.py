"""The racer's console: a phone page served by the comms process, with a lease of its own. It may crash harmlessly."""
