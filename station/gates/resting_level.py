"""Detects a sensor whose `broken` level is configured the wrong way round. Used by the drivers that see levels.

A sensor that is broken from the start, and then free only for moments, rests at the level that is set to mean broken:
each press of a strip, each car in a beam frees it. A warning names the setting to change, until the sensor has been
free for a while. The same applies later if a sensor is broken for long both before and after such a moment.
"""

from dataclasses import dataclass
from typing import Literal

from shared.text import text

RESTS_NS = 1_000_000_000  # free for this long: that is its resting level
LONG_NS = 2_000_000_000  # broken for longer than a car takes

Level = Literal["low", "high"]


@dataclass(slots=True)
class _RestingState:
    broken: bool
    since_ns: int
    doubted: bool  # it was broken from the start, or for long, and has not rested free since
    from_start: bool  # it was broken from the start
    free_pulses: int = 0  # how often it has been free for a short time since


class RestingLevelMonitor:
    """Watches the sensors of one gate. `level`: what is set to mean broken.

    `begun` completes "since the gate ..." in the warning: what the gate did when its sensors were first read.
    """

    def __init__(self, level: Level, begun: str = "started") -> None:
        self._level, self._begun = level, begun
        self._sensors: dict[str, _RestingState] = {}

    def begin(self, name: str, broken: bool, now_ns: int) -> None:
        """Sets a sensor's state as it is first read."""
        self._sensors[name] = _RestingState(broken, now_ns, broken, broken)

    def change(self, name: str, broken: bool, at_ns: int) -> None:
        """The sensor is broken, or free, from `at_ns` on; repeating its present state changes nothing."""
        sensor = self._sensors.get(name)
        if sensor is None:
            self.begin(name, broken=False, now_ns=at_ns)
            sensor = self._sensors[name]
        if broken == sensor.broken:
            return
        lasted_ns, sensor.broken, sensor.since_ns = at_ns - sensor.since_ns, broken, at_ns
        if not broken:
            sensor.doubted |= lasted_ns >= LONG_NS
        elif lasted_ns >= RESTS_NS:
            sensor.doubted, sensor.from_start, sensor.free_pulses = False, False, 0
        elif sensor.doubted:
            sensor.free_pulses += 1

    def broke(self, name: str, at_ns: int) -> None:
        """An edge shows that the sensor broke at `at_ns`: so it was free before, whatever a heartbeat has reported."""
        sensor = self._sensors.get(name)
        if sensor is not None and sensor.broken and not sensor.free_pulses:
            sensor.doubted, sensor.from_start, sensor.since_ns = False, False, at_ns
        self.change(name, True, at_ns)

    def sentence(self, now_ns: int) -> str:
        """What is wrong and how to fix it, for display; "" if nothing is."""
        doubted = [name for name, sensor in list(self._sensors.items()) if _doubtful(sensor, now_ns)]
        if any(self._sensors[name].free_pulses for name in doubted):
            return self._inverted(doubted)
        broken = [name for name in doubted if self._sensors[name].broken]
        if not broken:
            return ""
        return text(
            "The beam of {names} has been broken since the gate {begun}: check what stands in it, and "
            "its wiring. If nothing does, its level is inverted: {what}.",
            names=", ".join(broken),
            begun=self._begun,
            what=self._remedy(broken),
        )

    def _inverted(self, names: list[str]) -> str:
        return text(
            "The level of {names} is inverted: it rests {level}, which is set to mean broken, and is "
            "free only for moments. {what:cap}.",
            names=", ".join(names),
            level=self._level,
            what=self._remedy(names),
        )

    def _remedy(self, names: list[str]) -> str:
        """The remedy: one setting holds for all sensors of a gate."""
        setting = f'broken = "{"high" if self._level == "low" else "low"}"'
        others = [name for name in self._sensors if name not in names]
        words = text("set {setting}", setting=setting)
        if others:
            words = text(
                "wire it as {names} is, or give it a gate of its own with {setting}",
                names=", ".join(others),
                setting=setting,
            )
        return words


def _doubtful(sensor: _RestingState, now_ns: int) -> bool:
    """Whether the sensor may be inverted, as far as is known at `now_ns`."""
    lasts_ns = now_ns - sensor.since_ns
    if not sensor.doubted or (not sensor.broken and lasts_ns >= RESTS_NS):
        return False
    if sensor.from_start:
        return sensor.broken or sensor.free_pulses > 0
    return sensor.free_pulses > 0 and sensor.broken and lasts_ns >= LONG_NS
