"""Decoders and timers that a club owns: one file per protocol, bytes in, facts out; no I/O and no clock in any of them."""
