"""What a camera is and what motors are: the two promises that every driver keeps, the mock and the simulator's too."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from vehicle.core.pulses import Pulses

Pixels = NDArray[np.uint8]


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """One picture: grey uint8 (height, width), the capture stamp on the machine's Clock, and its number.

    `seq` counts what the camera captured; a gap is a dropped frame, the same number twice a repeated one.
    """

    pixels: Pixels
    at_ns: int
    seq: int


class Camera(Protocol):
    """The newest picture, never a queue of old ones.

    Once it is built, its process can make no socket any more; a driver that must says which by a class attribute
    `sockets` (vehicle/process/seccomp.py).
    """

    def read(self, timeout_s: float) -> Frame | None:
        """The newest frame that was not given yet, waiting up to `timeout_s` for it; None on timeout.

        Raises HardwareMissing when the device is gone.
        """

    def close(self) -> None:
        """Let the device go; idempotent."""


class Motors(Protocol):
    """Two channels of pulses. The hardware keeps the last pulse when its writer dies; so does every driver."""

    @property
    def resolution_ns(self) -> int:
        """The step in which a pulse width can be set."""

    def apply(self, pulses: Pulses) -> None:
        """Set both channels. Raises HardwareMissing when the device refuses."""

    def neutral(self) -> None:
        """Wheels straight and motor off; must not fail quietly, and is called on every exit path."""

    def close(self) -> None:
        """Let the device go, without changing its pulses; idempotent."""
