"""Gates with a club's decoder or timer: the protocols (pure: bytes in, facts out), and the driver that reads a port."""
