"""Attempts of races: who sees which, and what officials rule on them. Called by api/ and pages/."""
