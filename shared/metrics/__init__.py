"""Figures for Prometheus: their settings, the server that offers them, and what all machines report alike."""
