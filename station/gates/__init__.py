"""Gate drivers: one file each with the same shape, chosen by name in the config."""
