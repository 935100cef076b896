"""What the car's lights show: a colour and a rhythm for each mode, and the car's own colour, by which it is recognised.

Pure: time is an argument. The rhythm alone tells the modes apart, for who does not see the colours: a short flash every
two seconds is disarmed, an even blink is ready, steady is driving, a double flash is stopped, a quick blink is tripped.
Nothing flashes more than three times a second (WCAG 2.2, 2.3.1). Called by `comms/car_lights.py`.
"""

import re
from dataclasses import dataclass

from shared.protocol.messages import CarMode
from shared.units import NS_PER_MS

_COLOUR = re.compile(r"#[0-9a-fA-F]{6}", re.ASCII)


@dataclass(frozen=True, slots=True)
class LightColour:
    """Red, green and blue, each 0 to 255."""

    red: int
    green: int
    blue: int

    def __str__(self) -> str:
        return f"#{self.red:02x}{self.green:02x}{self.blue:02x}"


DARK = LightColour(0, 0, 0)
WHITE = LightColour(255, 255, 255)
LOW_BATTERY = LightColour(255, 0, 255)


def colour_of(text: str) -> LightColour | None:
    """The colour of "#rrggbb"; None for any other text."""
    if not _COLOUR.fullmatch(text):
        return None
    return LightColour(*bytes.fromhex(text[1:]))


@dataclass(frozen=True, slots=True)
class LightPattern:
    """A colour, None for the car's own, and a rhythm: how long it is on, off, on, ... in milliseconds, repeated."""

    colour: LightColour | None
    rhythm_ms: tuple[int, ...]

    def is_on(self, at_ns: int) -> bool:
        """Whether the light is on at this time."""
        place_ms = at_ns // NS_PER_MS % sum(self.rhythm_ms)
        for turn, length_ms in enumerate(self.rhythm_ms):
            if place_ms < length_ms:
                return turn % 2 == 0
            place_ms -= length_ms
        raise AssertionError("the rhythm covers its whole length")


PATTERNS: dict[CarMode, LightPattern] = {
    "disarmed": LightPattern(None, (150, 1850)),
    "ready": LightPattern(LightColour(255, 160, 0), (500, 500)),
    "driving": LightPattern(None, (1000,)),
    "stopped": LightPattern(LightColour(0, 80, 255), (150, 150, 150, 1550)),
    "tripped": LightPattern(LightColour(255, 0, 0), (200, 200)),
}
# While the car does not drive, a low battery takes the place of every third period of the mode.
_LOW_PERIOD_MS, _LOW_EVERY = 2000, 3
LOW_BATTERY_PATTERN = LightPattern(LOW_BATTERY, (1500, 500))


def light_at(mode: CarMode, own: LightColour, *, is_battery_low: bool, at_ns: int) -> LightColour:
    """What the lights show at `at_ns`. A trip is never covered by the battery."""
    turn = at_ns // NS_PER_MS // _LOW_PERIOD_MS % _LOW_EVERY
    is_covered = is_battery_low and mode != "tripped" and turn == 0
    pattern = LOW_BATTERY_PATTERN if is_covered else PATTERNS[mode]
    return (pattern.colour or own) if pattern.is_on(at_ns) else DARK
