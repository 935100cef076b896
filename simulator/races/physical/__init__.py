"""What happens on the track in a simulated race: virtual time, racers, beams, gates, faults, and the ground truth."""
