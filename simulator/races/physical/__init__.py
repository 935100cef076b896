"""What happens on the track in a simulated race: clocks, racers, beams, gates, faults, and the ground truth."""
