"""The Pico gate board without a Pico: its serial protocol in software, and its trial."""
