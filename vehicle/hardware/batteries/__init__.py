"""Batteries, one file a driver, chosen by name in the config."""
