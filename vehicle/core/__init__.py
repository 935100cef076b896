"""The car's pure core: actions, limits, modes and pulses; no clock, no thread, no I/O."""
