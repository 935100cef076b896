"""Seasons, events and series: their records, local times, calendar rules, and what may change when. Pure."""
