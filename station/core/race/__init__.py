"""Races, runs and laps: the state tables, penalties, rulings, standings."""
