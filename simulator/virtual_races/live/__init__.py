"""Runs of LIVE races: one model drives in real time, its speed scaled by its racer, while the track is reported."""
