"""Heats of several cars at once, and the verdict on each crossing's attribution."""
