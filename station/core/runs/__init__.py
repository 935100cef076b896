"""One run: its phases, crossings and laps, what officials are asked and rule, and who and what drove it."""
