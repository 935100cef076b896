"""Finds every sentence for people in the product's source, and keeps the message catalogue up to date."""
