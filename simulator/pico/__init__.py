"""A simulated Pico gate board: its firmware, a faulty serial line, and a test rig with the station's session."""
