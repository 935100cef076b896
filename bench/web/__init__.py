"""Measurements of what all three web servers share."""
