"""The one wire between the machines, and its mock."""
