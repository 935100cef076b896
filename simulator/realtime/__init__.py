"""The world process: the mock world on a real clock, its socket, and the drivers that connect to it."""
