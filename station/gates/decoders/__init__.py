"""Decoders and timers that a club owns: one file per protocol, bytes in, facts out; no I/O, no clock of our own."""
