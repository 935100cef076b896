"""The interfaces of the station's stop button and start lights, found by name like the gates' drivers.

Constructed by build.py as `cls(options)`, with the driver's own table from the config. Installed under the entry-point
groups `raceday.stop_buttons` and `raceday.start_lights`.
"""

from collections.abc import Callable
from typing import Protocol

from station.core.race.starts import LIGHTS

__all__ = ["LIGHTS", "StartLightsDriver", "StopButtonDriver"]


class StopButtonDriver(Protocol):
    """A button with a normally closed contact: pressed, a broken wire and a loose plug all open it."""

    def start(self, on_opened: Callable[[], None]) -> None:
        """From now on calls `on_opened` when the contact opens, from any thread."""

    def reason(self) -> str:
        """Why all cars must be stopped now; "" while the contact is closed. Never blocks and never raises.

        A contact that was open for a moment since the last call counts.
        """

    def close(self) -> None:
        """Releases the device; may be called more than once."""


class StartLightsDriver(Protocol):
    """Start lights: `LIGHTS` of them, or fewer, which are then lit from the first on."""

    def show(self, lit: int) -> None:
        """Lights the first `lit` lights (0 to `LIGHTS`) and no others. Raises HardwareMissing."""

    def close(self) -> None:
        """Turns all lights off and releases the device; may be called more than once."""
