"""What a driver of the car's lights must do. Called by `comms/car_lights.py`, on a thread of its own."""

from typing import Protocol

from vehicle.core.light_patterns import LightColour


class LightsDriver(Protocol):
    """Lights that show one colour. The guard never waits for them: they belong to comms, which may die."""

    def show(self, colour: LightColour) -> None:
        """Show the colour from now on. Raises HardwareMissing."""

    def close(self) -> None:
        """Switch them off, as far as that works; idempotent."""
