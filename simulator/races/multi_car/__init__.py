"""Heats of several cars at once, and the verdict on the attribution of each crossing."""
