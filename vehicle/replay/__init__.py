"""Reads recordings of the black box back: compare with a model, draw."""
