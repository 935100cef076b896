"""The checks after a simulated race: the reference model, the gate's oracle, the invariants."""
