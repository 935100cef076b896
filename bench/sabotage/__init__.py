"""Bugs that are planted in a copy of the product, and the campaigns that must catch them."""
