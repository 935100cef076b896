"""What runs on our own gate, a Raspberry Pi Pico: gatewire.py (pure, runs here too) and main.py (pins and USB)."""
