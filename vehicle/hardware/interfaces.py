"""The interfaces of cameras and motors, which every driver implements: real devices, the mock and the simulator."""

from typing import TYPE_CHECKING, Protocol

from vehicle.core.pulses import Pulses

if TYPE_CHECKING:  # frame.py loads numpy, and the guard and the fail-safe process need the motors alone
    from vehicle.hardware.frame import Frame


class Camera(Protocol):
    """The newest picture, never a queue of old ones.

    Once it is built, its process can make no socket any more; a driver that must says which by a class attribute
    `sockets` (vehicle/process/seccomp.py).
    """

    def read(self, timeout_s: float) -> "Frame | None":
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
