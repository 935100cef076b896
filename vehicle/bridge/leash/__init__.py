"""The leash: one file for the stock car's own Python 3.8, and the bridge's end of it."""
