"""The firmware of our own gate, a Raspberry Pi Pico: gatewire.py (pure, used here too) and main.py (pins and USB)."""
