"""A gate on a Raspberry Pi Pico board over USB serial, and the board's firmware."""
