"""What counts in a virtual race, from what the batch reports: laps, faults, resets, penalties, who is ahead."""
