"""The interfaces of cameras and motors, which every driver implements: real devices, the mock and the simulator."""

from typing import TYPE_CHECKING, Protocol

from vehicle.core.pulses import PulseResolution, Pulses

if TYPE_CHECKING:  # frame.py loads numpy, and the guard and the fail-safe process need the motors alone
    from vehicle.hardware.frame import Frame


class Camera(Protocol):
    """A camera driver, which gives the newest picture and never queues old ones.

    Its process opens only the files and devices that a static method `grants(options)` returns, a list of `FileGrant`
    (vehicle/process/landlock.py); it raises HardwareMissing while they are not there. Without it these are the video
    devices of the machine. After the driver is built its process can create no more sockets; one that must do so
    declares them in a class attribute `sockets` (vehicle/process/seccomp.py). One that has started programs names their
    process ids in `processes`, or it cannot end them.
    """

    def read(self, timeout_s: float) -> "Frame | None":
        """The newest frame that was not returned yet, after waiting up to `timeout_s` for it; None on timeout.

        Raises HardwareMissing when the device is gone.
        """

    def close(self) -> None:
        """Close the device; idempotent."""


class Motors(Protocol):
    """A motor driver: two channels of pulses, of which the last ones are repeated after the writing process dies.

    A device may have a line that cuts its outputs, whatever the channels do. Opening such a device cuts them.
    """

    @property
    def resolution(self) -> PulseResolution:
        """The widths that the device can make, as it makes them."""

    @property
    def is_cut(self) -> bool:
        """Whether the outputs are cut now, by this process or another; always False without a line."""

    def apply(self, pulses: Pulses) -> None:
        """Set both channels. Raises HardwareMissing when the device refuses."""

    def neutral(self) -> None:
        """Set wheels straight and motor off; called on every exit path. Raises HardwareMissing if refused."""

    def enable(self) -> None:
        """Let the pulses out; without a line nothing is done. Raises HardwareMissing when the line refuses."""

    def cut(self) -> None:
        """Cut the outputs by the line; without one nothing is done. Raises HardwareMissing when the line refuses."""

    def close(self) -> None:
        """Close the device without changing its pulses; idempotent."""
