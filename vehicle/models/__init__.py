"""Racers' models: importing, checking and running them. A model is untrusted input until it has been checked."""
