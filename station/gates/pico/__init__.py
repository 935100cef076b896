"""A gate on a Raspberry Pi Pico, connected over USB serial, and the firmware of the Pico."""
