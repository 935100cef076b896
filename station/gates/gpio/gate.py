"""Driver "gpio": a gate on the machine's own pins, read through gpiozero's pins; with lgpio, the kernel stamps edges.

gpiozero's devices drop the stamp; its pins pass it on to `pin.when_changed`, a handler (ticks, state) that they hold
weakly. There is no debounce here, since that would move a stamp or lose a short pulse: the gate's lockout is in the
core.
"""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from shared.clock import Clock
from shared.config import from_table, setting
from shared.errors import ConfigError, HardwareMissing
from shared.text import text
from station.core.inputs import Proof
from station.gates.clock_map import MappedInstant
from station.gates.driver import Edge, GateHealthReport
from station.gates.flicker import FlickerDetector
from station.gates.gpio.pins import GpioPins
from station.gates.gpio.ticks import STAMPING, Ticks, ticks_of
from station.gates.resting_level import RestingLevelMonitor

MAX_SENSORS = 4
FOREIGN_NS = 2_000_000_000  # a stamp that is further than this from the station's clock is of another clock
RELEASE_NS = 20_000_000  # the kernel reports the end of a pulse within this, or has merged it with the beginning


@dataclass(frozen=True, slots=True)
class GpioGateOptions:
    """`[gate.options]` of the driver "gpio"."""

    pins: tuple[int, ...] = setting(what="the GPIO (BCM) number of each sensor, in the order of `sensors`")
    factory: Literal["lgpio", "pigpio", "native", "rpigpio", "mock"] = setting(
        "lgpio", what="gpiozero's pin factory; only lgpio has the kernel's stamp"
    )
    chip: int = setting(-1, min=-1, max=15, what="the number of /dev/gpiochip; -1: the board's own")
    pull: Literal["up", "down", "floating"] = setting("up", what="the resistor at each pin")
    broken: Literal["low", "high"] = setting("low", what="the level of a pin whose beam is broken")


class GpioGate:
    """A `GateDriver`. The pins are claimed when it is constructed, so that a wrong one is known before the race."""

    proof: ClassVar[Proof] = "level"

    def __init__(self, name: str, sensors: tuple[str, ...], options: dict[str, Any], clock: Clock) -> None:
        chosen = from_table(options, GpioGateOptions, f"gate {name}")
        if len(chosen.pins) != len(sensors) or len(set(chosen.pins)) != len(chosen.pins):
            raise ConfigError(f"gate {name}: `pins` must give one GPIO number for each of {', '.join(sensors)}.")
        if len(sensors) > MAX_SENSORS:
            raise ConfigError(f"gate {name}: a gate on GPIO has {MAX_SENSORS} sensors at most.")
        self._name, self._clock, self._options = name, clock, chosen
        self._lock = threading.Lock()
        self._put: Callable[[Edge], None] | None = None
        self._boot, self._seq = clock.boot_id, 0
        self._edges = self._lost = self._foreign = 0
        self._last_ns: int | None = None
        self._flicker, self._resting = FlickerDetector(), RestingLevelMonitor(chosen.broken)
        self._pins = GpioPins(name, chosen.factory, chosen.chip)
        self._ticks: Ticks = ticks_of(chosen.factory, self._pins.factory, clock)
        self._sensors = [
            _GpioSensor(self, sensor, pin, chosen) for sensor, pin in zip(sensors, chosen.pins, strict=True)
        ]
        try:
            for sensor in self._sensors:
                self._pins.claim(sensor.number, chosen.pull)
        except HardwareMissing:
            self.close()
            raise

    def start(self, after: Mapping[str, int], put: Callable[[Edge], None]) -> None:
        """As `GateDriver.start` describes; the kernel stores no edges, so numbers continue from the journal."""
        if self._pins.closed:
            raise HardwareMissing(f"the gate {self._name} is closed: start the station again.")
        with self._lock:
            self._seq, self._put = after.get(self._boot, 0), put
        for sensor in self._sensors:
            sensor.begin(self._pins.level(sensor.number))
            self._resting.begin(sensor.name, bool(sensor.broken), self._clock.now_ns())
            self._pins.watch(sensor.number, sensor.changed)

    def health(self) -> GateHealthReport:
        for sensor in self._sensors:
            sensor.end_merged_pulse(self._clock.now_ns())
        fault = self._fault()
        return GateHealthReport(
            not fault,
            fault or self._status(),
            self._last_ns,
            self._edges,
            self._lost,
            uncertainty_ns=STAMPING[self._options.factory].uncertainty_ns,
        )

    def close(self) -> None:
        self._pins.close()
        self._ticks.close()
        with self._lock:
            self._put = None

    def now_ns(self) -> int:
        """The time of the station's clock."""
        return self._clock.now_ns()

    def on_edge(self, sensor: str, broken: bool, ticks: float, skipped: bool) -> None:
        """Delivers one edge, on the factory's thread. `skipped`: the one before it was never reported."""
        with self._lock:
            if self._put is None:
                return
            mapped = self._ticks.mapped(ticks)
            if abs(self._clock.now_ns() - mapped.at_ns) > FOREIGN_NS:
                self._foreign += 1
                self._lost += 1
                return
            self._lost += skipped
            self._seq += skipped
            self._deliver(self._put, sensor, broken, mapped)

    def on_merged_release(self, sensor: str) -> None:
        """Delivers the end of a pulse whose two edges the kernel reported as one, with the gate's newest stamp."""
        with self._lock:
            if self._put is not None and self._last_ns is not None:
                uncertainty_ns = STAMPING[self._options.factory].uncertainty_ns
                self._deliver(self._put, sensor, False, MappedInstant(self._last_ns, uncertainty_ns))

    def _deliver(self, put: Callable[[Edge], None], sensor: str, broken: bool, at: MappedInstant) -> None:
        self._seq += 1
        self._edges, self._last_ns = self._edges + 1, at.at_ns
        self._flicker.edge(sensor, at.at_ns)
        self._resting.change(sensor, broken, at.at_ns)
        put(Edge(self._name, sensor, broken, at.at_ns, self._seq, self._boot, at.uncertainty_ns))

    def _fault(self) -> str:
        """Why no race should be run on this gate, for display; "" if it is fine."""
        if self._foreign:
            return text(
                "The GPIO gate's stamps are not of CLOCK_MONOTONIC ({foreign} edges refused): use Linux 5.10 or newer.",
                foreign=self._foreign,
            )
        if self._put is None or self._pins.closed:
            return text("The GPIO gate is not started.")
        now_ns = self._clock.now_ns()
        return self._resting.sentence(now_ns) or self._flicker.sentence(now_ns)

    def _status(self) -> str:
        blocked = [sensor.name for sensor in self._sensors if sensor.broken]
        what = text("broken: {names}", names=", ".join(blocked)) if blocked else text("all beams clear")
        return text("The GPIO gate listens, {by}; {what}.", by=STAMPING[self._options.factory].by, what=what)


class _GpioSensor:
    """One beam on one pin. gpiozero holds `changed` only weakly, so the gate holds this object.

    Linux stamps an edge in the interrupt and reads the level a little later, in a thread (gpiolib-cdev.c,
    `edge_irq_thread`): both edges of a pulse that is over by then say "free". So "free" of a free beam is the beginning
    of a pulse, at its own stamp. Its end is the next report; if the kernel merged both into one, there is none.
    """

    def __init__(self, gate: GpioGate, name: str, number: int, options: GpioGateOptions) -> None:
        self.name, self.number = name, number
        self.broken: bool | None = None
        self._gate, self._broken_level = gate, options.broken == "high"
        self._lock = threading.Lock()
        self._pulse_since_ns: int | None = None  # a pulse began, and its beam was free when the kernel looked

    def begin(self, level: bool) -> None:
        """Sets the state by the pin's level before it is watched: a beam that is broken by then gives no edge."""
        self.broken = level == self._broken_level

    def changed(self, ticks: float, state: float) -> None:
        """Handles gpiozero's callback: the pin's new level (`state`, 0 or 1), and when it changed (`ticks`)."""
        if state not in (0, 1):
            return  # lgpio's watchdog reports 2: not an edge
        with self._lock:
            self._end_merged_pulse(self._gate.now_ns())
            broken = bool(state) == self._broken_level
            is_over = not broken and self.broken is False
            self._pulse_since_ns = self._gate.now_ns() if is_over else None
            skipped, self.broken = broken and broken == self.broken, broken or is_over
            self._gate.on_edge(self.name, self.broken, ticks, skipped)

    def end_merged_pulse(self, now_ns: int) -> None:
        """Ends a pulse whose end the kernel did not report within `RELEASE_NS`: the beam has been free all the time."""
        with self._lock:
            self._end_merged_pulse(now_ns)

    def _end_merged_pulse(self, now_ns: int) -> None:
        if self._pulse_since_ns is not None and now_ns - self._pulse_since_ns > RELEASE_NS:
            self._pulse_since_ns, self.broken = None, False
            self._gate.on_merged_release(self.name)
