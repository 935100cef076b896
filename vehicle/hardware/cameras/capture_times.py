"""When frames were captured, on the machine's clock: from a device's stamps, never too young. Called by the drivers.

A frame that seems younger than it is makes a car drive by an old picture; one that seems older only makes it stop. So
the machine's clock is read first: if the process is preempted between the two clocks, the frame becomes older. And each
frame must be later than the one before, or it is dropped.
"""

import time
from collections.abc import Callable

from shared.clock import Clock


def boot_time_ns() -> int:
    """The kernel's boot-time clock, of which libcamera's `SensorTimestamp` is (libcamera `control_ids_core.yaml`)."""
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME)


class CaptureTimes:
    """The times of one camera's frames. `device_ns`: the clock of its stamps, now."""

    def __init__(self, clock: Clock, device_ns: Callable[[], int]) -> None:
        self._clock, self._device_ns = clock, device_ns
        self._last_ns: int | None = None

    def of_stamp(self, stamp_ns: int | None) -> int | None:
        """When a frame with this stamp was captured; None if that cannot be known, or is not later than the last."""
        now_ns = self._clock.now_ns()
        if stamp_ns is None or (age_ns := self._device_ns() - stamp_ns) < 0:
            return None
        return self._if_later(now_ns - age_ns)

    def of_arrival(self) -> int | None:
        """Now, for a frame that was waited for and has just come; None if that is not later than the last."""
        return self._if_later(self._clock.now_ns())

    def _if_later(self, at_ns: int) -> int | None:
        if self._last_ns is not None and at_ns <= self._last_ns:
            return None
        self._last_ns = at_ns
        return at_ns
