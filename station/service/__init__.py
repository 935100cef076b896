"""The running station: its threads, the input queue, car control, and what it publishes."""
