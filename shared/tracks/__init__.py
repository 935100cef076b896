"""Tracks as they are drawn: outlines from `.npy` files, the tracks that ship with Raceday, and SVG drawings of them."""
