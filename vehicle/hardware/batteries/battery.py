"""What a battery driver must do. Called by `comms/battery_monitor.py`, on a thread of its own."""

from typing import Protocol


class Battery(Protocol):
    """A battery gauge."""

    def percent(self) -> int | None:
        """The charge, 0 to 100; None if the gauge says nothing. Raises HardwareMissing; may block for a second."""

    def close(self) -> None:
        """Close the device; idempotent."""
