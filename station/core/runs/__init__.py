"""One run: its phases, crossings and laps, proposals and rulings, and which racer, car and model drove it."""
