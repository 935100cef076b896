"""The tracks that the event may be held on: chosen, uploaded, taken off the list."""
