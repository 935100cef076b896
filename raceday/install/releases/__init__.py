"""Releases below /opt/raceday: each an environment of its own, one of them in use."""
