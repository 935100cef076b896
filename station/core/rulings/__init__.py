"""Rulings by other witnesses than the gate, and on whole runs and races: hand times, disqualification, official."""
