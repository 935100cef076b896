"""Recordings of drives: frames from the pilot and messages from the guard, written by comms as MCAP files."""
