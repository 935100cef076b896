"""Whose a crossing is: with one car, with several cars, by transponder, and by an official's decision."""
