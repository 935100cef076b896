"""Mock motors: they record every change with its time, and refuse what a real driver would refuse.

Like kernel PWM they repeat the last pulse after their writer dies, until another process sets neutral. With `record`
each change is a line of JSON in a file, which other processes can read. With `enable_line` they have a line that cuts
the outputs: it is cut when they are opened, and each line of the record says whether it is.
"""

import json
import pathlib
from collections import deque
from dataclasses import dataclass
from typing import Any

from shared.clock import Clock
from shared.config import from_table, setting
from shared.errors import ConfigError, HardwareMissing
from vehicle.core.pulses import PERIOD_NS, STOCK_CALIBRATION, PulseResolution, Pulses

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
    enable_line: bool = setting(False, what="whether the outputs have a line that cuts them")


@dataclass(frozen=True, slots=True)
class PulseChange:
    """One change of the pulses, or of the line that cuts them."""

    at_ns: int
    pulses: Pulses | None
    is_cut: bool = False


class MockMotors:
    """`changes` are the pulse changes, oldest first; `pulses` are the present ones, None until the first change."""

    def __init__(self, options: dict[str, Any], clock: Clock) -> None:
        self._options = from_table(options, MockMotorsOptions, "[motors.options]")
        self._clock = clock
        self.changes: deque[PulseChange] = deque(maxlen=_MAX_CHANGES)
        self._change_count = 0
        self.pulses: Pulses | None = None
        self.is_cut = False
        self._require_present()
        if self._options.record is not None:
            _require_appendable(self._options.record)
        self.cut()

    @property
    def resolution(self) -> PulseResolution:
        return PulseResolution(self._options.resolution_ns)

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

    def enable(self) -> None:
        self._switch(is_cut=False)

    def cut(self) -> None:
        """Works also while the pulses cannot be set: a line is a second way to stop."""
        self._switch(is_cut=True)

    def close(self) -> None:
        """Nothing to close; the pulses stay, as on real hardware."""

    def _switch(self, *, is_cut: bool) -> None:
        if self._options.enable_line and is_cut != self.is_cut:
            self.is_cut = is_cut
            self._note()

    def _require_present(self) -> None:
        if self._options.absent is not None and self._options.absent.exists():
            raise HardwareMissing("the mock motors do not answer: they are set to be absent.")

    def _truncated(self, width_ns: int) -> int:
        return width_ns // self._options.resolution_ns * self._options.resolution_ns

    def _set(self, pulses: Pulses) -> None:
        self.pulses = pulses
        self._change_count += 1
        self._note()

    def _note(self) -> None:
        change = PulseChange(self._clock.now_ns(), self.pulses, self.is_cut)
        self.changes.append(change)
        if self._options.record is not None:
            line: dict[str, int | bool | None] = {
                "at_ns": change.at_ns,
                "steering_ns": self.pulses.steering_ns if self.pulses is not None else None,
                "throttle_ns": self.pulses.throttle_ns if self.pulses is not None else None,
            }
            if self._options.enable_line:
                line["is_cut"] = self.is_cut
            with self._options.record.open("a", encoding="utf-8") as record:
                record.write(json.dumps(line) + "\n")


def _require_appendable(path: pathlib.Path) -> None:
    try:
        path.open("a", encoding="utf-8").close()
    except OSError as error:
        raise ConfigError(f"[motors.options]: the record {path} cannot be written ({error.strerror}).") from None
