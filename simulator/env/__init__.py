"""Gymnasium environments of races."""
