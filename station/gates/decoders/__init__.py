"""Decoders and timers that a club owns: protocols (bytes in, facts out; no I/O) and the gate that reads a port."""
