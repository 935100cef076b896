"""Heats of brackets that farms drive, two models in one world."""
