"""Whose crossing is it: one car, several cars, transponders, and what an official is asked."""
