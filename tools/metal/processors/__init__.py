"""Processors that this machine does not have, by QEMU's user emulation: `./dev metal arm64` and `./dev metal atom`."""
