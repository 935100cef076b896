"""The pages of a LIVE race: race control, broadcast, overlay, commentator and podium."""
