"""The cars' page: which cars are entered, and of what kind they are."""
