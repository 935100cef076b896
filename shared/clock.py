"""The clock of a machine: injected at the door, never asked by a core.

Nanoseconds of one monotonic clock, with the boot they belong to; UTC is for display. A driver whose
hardware stamps edges on another clock says so itself; all else on a machine uses this one.
"""

import pathlib
import threading
import time
import uuid
from typing import Protocol

from shared.timeset import is_set

_BOOT_ID = pathlib.Path("/proc/sys/kernel/random/boot_id")


class Clock(Protocol):
    """What a machine needs of time. `rate` is seconds of this clock per real second (1.0 on hardware)."""

    @property
    def boot_id(self) -> str: ...
    @property
    def rate(self) -> float: ...
    @property
    def trusted(self) -> bool:
        """Is `utc_ns` right, as far as this machine can tell?"""

    def now_ns(self) -> int: ...
    def utc_ns(self) -> int: ...


class SystemClock:
    """CLOCK_MONOTONIC of this kernel, with its boot id."""

    def __init__(self) -> None:
        # A container may hide the kernel's id: then a process start is the only boot that we can vouch for.
        self._boot_id = _BOOT_ID.read_text().strip() if _BOOT_ID.exists() else str(uuid.uuid4())

    @property
    def boot_id(self) -> str:
        return self._boot_id

    @property
    def rate(self) -> float:
        return 1.0

    @property
    def trusted(self) -> bool:
        return is_set(time.time_ns())

    def now_ns(self) -> int:
        return time.monotonic_ns()

    def utc_ns(self) -> int:
        return time.time_ns()


class ManualClock:
    """A clock that a test or the virtual-time harness moves by hand; it never runs backwards."""

    def __init__(
        self, at_ns: int = 0, *, utc_offset_ns: int = 1_700_000_000_000_000_000, boot_id: str = "boot-0"
    ) -> None:
        self._at_ns = at_ns
        self._utc_offset_ns = utc_offset_ns
        self._boot_id = boot_id
        self._lock = threading.Lock()
        self.trusted = True

    @property
    def boot_id(self) -> str:
        return self._boot_id

    @property
    def rate(self) -> float:
        return 1.0

    def now_ns(self) -> int:
        return self._at_ns

    def utc_ns(self) -> int:
        return self._at_ns + self._utc_offset_ns

    def advance(self, to_ns: int) -> None:
        with self._lock:
            assert to_ns >= self._at_ns, "a monotonic clock was moved backwards"
            self._at_ns = to_ns

    def step_utc(self, by_ns: int) -> None:
        """What NTP does to the wall clock; no lap may notice."""
        self._utc_offset_ns += by_ns

    def reboot(self, boot_id: str) -> None:
        self._boot_id = boot_id
