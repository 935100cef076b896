"""Converts the ticks of gpiozero's pin factories to the station's clock, and states how accurate each stamp is.

From the sources of gpiozero 2.0.1 (2024) and lg: `lgpio` passes on the kernel's stamp of the interrupt,
CLOCK_MONOTONIC in ns divided by 1e9 as a float (exact to 1 ns for 48 days of uptime, to 2 ns for 97). `native`,
`rpigpio` and `mock` call `time.monotonic()` when the callback runs. `pigpio` counts microseconds of the daemon's
machine in 32 bits, which wrap every 71.6 minutes and start at any value: they are extended, and mapped by readings of
the daemon's present tick.
"""

import threading
from dataclasses import dataclass
from typing import Any, Protocol

from shared.clock import Clock
from shared.text import text
from station.gates.clock_map import ClockMap, MappedInstant
from station.gates.pico.firmware.gatewire import Counter

US = 1_000
PROBES = 32  # readings of the daemon's tick at the start
PROBE_S = 0.5  # between later readings


@dataclass(frozen=True, slots=True)
class Stamping:
    """Who stamps the edges (`by`), and how late a stamp may be at worst."""

    uncertainty_ns: int
    by: str


# Interrupts: within 13 us on a Pi 5 (github.com/LeonardoLisa/rpi5-fast-irq, benchmark data). Callbacks in user space:
# 0.1 to 1 ms on an idle Pi, with a tail beyond 10 ms.
STAMPING: dict[str, Stamping] = {
    "lgpio": Stamping(15_000, text("stamped by the kernel")),
    "pigpio": Stamping(10_000, text("sampled by the pigpio daemon")),
    "native": Stamping(10_000_000, text("stamped late, in Python: install lgpio to have the kernel's stamp")),
    "rpigpio": Stamping(10_000_000, text("stamped late, in Python: install lgpio to have the kernel's stamp")),
    "mock": Stamping(15_000, text("moved by hand")),
}


class Ticks(Protocol):
    """Converts a factory's ticks to the station's clock."""

    def mapped(self, ticks: float) -> MappedInstant:
        """The instant of these ticks on the station's clock, with its uncertainty."""

    def close(self) -> None:
        """Stops whatever follows the ticks."""


class MonotonicTicks:
    """Seconds of CLOCK_MONOTONIC: the station's clock itself."""

    def __init__(self, uncertainty_ns: int) -> None:
        self._uncertainty_ns = uncertainty_ns

    def mapped(self, ticks: float) -> MappedInstant:
        return MappedInstant(round(ticks * 1_000_000_000), self._uncertainty_ns)

    def close(self) -> None:
        """Nothing to release."""


class DaemonTicks:
    """pigpio's 32-bit microseconds, with a thread that reads the daemon's tick every `PROBE_S`."""

    def __init__(self, factory: Any, clock: Clock, uncertainty_ns: int) -> None:
        self._factory, self._clock, self._uncertainty_ns = factory, clock, uncertainty_ns
        self._counter, self._map = Counter(32), ClockMap()
        self._lock = threading.Lock()
        self._closing = threading.Event()
        for _ in range(PROBES):
            self._probe()
        self._thread = threading.Thread(target=self._follow, name="pigpio-ticks", daemon=True)
        self._thread.start()

    def mapped(self, ticks: float) -> MappedInstant:
        with self._lock:
            instant = self._map.at(self._counter.extend(int(ticks)))
        return MappedInstant(instant.at_ns, instant.uncertainty_ns + self._uncertainty_ns)

    def close(self) -> None:
        self._closing.set()
        self._thread.join(2.0)

    def _follow(self) -> None:
        while not self._closing.wait(PROBE_S):
            self._probe()

    def _probe(self) -> None:
        sent_ns = self._clock.now_ns()
        ticks = self._factory.ticks()
        received_ns = self._clock.now_ns()
        with self._lock:
            self._map.add(sent_ns, self._counter.extend(ticks), received_ns)


def ticks_of(name: str, factory: Any, clock: Clock) -> Ticks:
    """The converter for the ticks of the factory `name`."""
    uncertainty_ns = STAMPING[name].uncertainty_ns
    return DaemonTicks(factory, clock, uncertainty_ns) if name == "pigpio" else MonotonicTicks(uncertainty_ns)
