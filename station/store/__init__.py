"""What the station keeps: the journal of inputs and facts."""
