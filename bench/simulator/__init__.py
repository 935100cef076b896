"""Benchmarks of the mock world."""
