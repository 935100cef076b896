"""Mock motors: they record every change with its time, and refuse what a real driver would refuse.

Like kernel PWM they repeat the last pulse after their writer dies, until another process sets neutral. With `record`
each change is a line of JSON in a file, which other processes can read.
"""

import json
import pathlib
from collections import deque
from dataclasses import dataclass
from typing import Any

from shared.clock import Clock
from shared.config import from_table, setting
from shared.errors import ConfigError, HardwareMissing
from vehicle.core.pulses import PERIOD_NS, STOCK_CALIBRATION, Pulses

_MAX_CHANGES = 20_000  # a bound on memory for a day of racing


@dataclass(frozen=True, slots=True)
class MockMotorsOptions:
    """`[motors.options]` of the mock."""

    resolution_ns: int = setting(1_000, min=1, max=1_000_000, what="the step of a pulse width")
    record: pathlib.Path | None = setting(None, what="a file that gets one line of JSON for each change")
    neutral_steering_ns: int = setting(STOCK_CALIBRATION.steering.mid_ns, min=1)
    neutral_throttle_ns: int = setting(STOCK_CALIBRATION.motor.mid_ns, min=1)
    absent: pathlib.Path | None = setting(None, what="while this file exists the motors are not there")
    fail_after: int = setting(0, min=0, what="changes after which the device refuses; 0: never")


@dataclass(frozen=True, slots=True)
class PulseChange:
    """One change of the pulses."""

    at_ns: int
    pulses: Pulses


class MockMotors:
    """`changes` are the pulse changes, oldest first; `pulses` are the present ones, None until the first change."""

    def __init__(self, options: dict[str, Any], clock: Clock) -> None:
        self._options = from_table(options, MockMotorsOptions, "[motors.options]")
        self._clock = clock
        self.changes: deque[PulseChange] = deque(maxlen=_MAX_CHANGES)
        self._change_count = 0
        self.pulses: Pulses | None = None
        self._require_present()
        if self._options.record is not None:
            _require_appendable(self._options.record)

    @property
    def resolution_ns(self) -> int:
        return self._options.resolution_ns

    def apply(self, pulses: Pulses) -> None:
        for width_ns in (pulses.steering_ns, pulses.throttle_ns):
            if not 0 < width_ns < PERIOD_NS:
                raise HardwareMissing(f"the mock motors refuse a pulse of {width_ns} ns.")
        rounded = Pulses(self._truncated(pulses.steering_ns), self._truncated(pulses.throttle_ns))
        self._require_present()
        if rounded == self.pulses:
            return
        if self._options.fail_after and self._change_count >= self._options.fail_after:
            raise HardwareMissing("the mock motors do not answer: they were set to fail.")
        self._set(rounded)

    def neutral(self) -> None:
        self._require_present()
        self._set(Pulses(self._options.neutral_steering_ns, self._options.neutral_throttle_ns))

    def close(self) -> None:
        """Nothing to close; the pulses stay, as on real hardware."""

    def _require_present(self) -> None:
        if self._options.absent is not None and self._options.absent.exists():
            raise HardwareMissing("the mock motors do not answer: they are set to be absent.")

    def _truncated(self, width_ns: int) -> int:
        return width_ns // self.resolution_ns * self.resolution_ns

    def _set(self, pulses: Pulses) -> None:
        self.pulses = pulses
        change = PulseChange(self._clock.now_ns(), pulses)
        self.changes.append(change)
        self._change_count += 1
        if self._options.record is not None:
            line = {"at_ns": change.at_ns, "steering_ns": pulses.steering_ns, "throttle_ns": pulses.throttle_ns}
            with self._options.record.open("a", encoding="utf-8") as record:
                record.write(json.dumps(line) + "\n")


def _require_appendable(path: pathlib.Path) -> None:
    try:
        path.open("a", encoding="utf-8").close()
    except OSError as error:
        raise ConfigError(f"[motors.options]: the record {path} cannot be written ({error.strerror}).") from None
