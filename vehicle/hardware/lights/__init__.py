"""The car's lights, one file a driver, chosen by name in the config."""
