"""Gate drivers, chosen by name in the config: "mock", "gpio", "pico", "decoder", "drem"; driver.py describes them."""
