"""The order in which the racers of a race drive: who is called, who did not show up, and when each is expected."""
