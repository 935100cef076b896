"""Quantising a model to 8 bits, and the verdict whether it drives the same."""
