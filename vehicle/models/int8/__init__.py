"""Quantising a model to 8 bits, and deciding whether the quantised model drives."""
