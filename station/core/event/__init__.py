"""The event at the station: its races with their rules, its racers and its cars, and the commands that change them."""
