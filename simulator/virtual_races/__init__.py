"""Races of the virtual circuit: what a run goes through, and who wins."""
