"""The station's pure core: no clock, no thread, no I/O; time is an argument, facts are returned."""
