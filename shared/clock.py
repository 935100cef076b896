"""The clock of a machine: built once by its build code and passed in; no core reads it.

Nanoseconds of one monotonic clock, with the boot they belong to; UTC is for display. A driver whose
hardware stamps edges on another clock names that clock in its edges; all else uses this one.
"""

import pathlib
import threading
import time
import uuid
from dataclasses import dataclass, field
from typing import Any, Protocol

from shared.clock_set import is_set
from shared.config import setting
from shared.drivers import find

_BOOT_ID = pathlib.Path("/proc/sys/kernel/random/boot_id")
CHECK_EVERY_NS = 1_000_000_000
STEP_NS = 100_000_000  # more than this: the wall clock was set, or the machine slept


class Clock(Protocol):
    """What a machine needs of a clock. `rate` is seconds of this clock per real second (1.0 on hardware)."""

    @property
    def boot_id(self) -> str: ...
    @property
    def rate(self) -> float: ...
    @property
    def trusted(self) -> bool:
        """Is `utc_ns` right, as far as this machine knows?"""

    def now_ns(self) -> int: ...
    def utc_ns(self) -> int: ...


class SystemClock:
    """CLOCK_MONOTONIC of this kernel, with its boot id."""

    def __init__(self) -> None:
        # A container may hide the kernel's id: then the start of the process is the only boot that we know of.
        self._boot_id = _BOOT_ID.read_text().strip() if _BOOT_ID.exists() else str(uuid.uuid4())
        self._trusted = False
        self._checked: tuple[int, int] | None = None  # when it was last checked, and the offset of both clocks then

    @property
    def boot_id(self) -> str:
        return self._boot_id

    @property
    def rate(self) -> float:
        return 1.0

    @property
    def trusted(self) -> bool:
        """Checked once a second, and when the wall clock was set: reading a battery-backed clock may be slow."""
        now_ns, utc_ns = time.monotonic_ns(), time.time_ns()
        offset_ns = utc_ns - now_ns
        checked_ns, known_ns = self._checked or (now_ns - CHECK_EVERY_NS, offset_ns)
        if now_ns - checked_ns >= CHECK_EVERY_NS or abs(offset_ns - known_ns) > STEP_NS:
            self._trusted, self._checked = is_set(utc_ns), (now_ns, offset_ns)
        return self._trusted

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
        """Step the wall clock, as NTP does; no lap time may change by it."""
        self._utc_offset_ns += by_ns

    def reboot(self, boot_id: str) -> None:
        self._boot_id = boot_id


@dataclass(frozen=True, slots=True)
class ClockChoice:
    """`[clock]`: which clock the machine runs on."""

    driver: str = setting("system", what="a driver of raceday.clocks")
    options: dict[str, Any] = field(default_factory=dict)


def build_clock(choice: ClockChoice) -> Clock:
    """The clock that `[clock]` names. Raises ConfigError or HardwareMissing for a driver that is not there."""
    driver = find("raceday.clocks", choice.driver)
    clock: Clock = driver(choice.options) if choice.options or driver is not SystemClock else SystemClock()
    return clock
