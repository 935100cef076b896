"""When udev hands files over late, and when it never will: told apart by whether it still has events."""

import pathlib

import pytest

from vehicle.hardware.motors.attributes import AttributeFiles
from vehicle.hardware.motors.udev_wait import IDLE_S, LONGEST_S, UDEV_QUEUE, first_closed

FILES = tuple(pathlib.Path("/sys/class/pwm/pwmchip0/pwm2") / name for name in ("period", "duty_cycle", "enable"))
NEVER_S = 1e9


class Udev(AttributeFiles):
    """Works off its events until `busy_s`; a file of FILES is ours from its time of `ours_s` on."""

    def __init__(self, busy_s: float, *ours_s: float) -> None:
        self.at_s, self._busy_s, self._ours_s = 0.0, busy_s, dict(zip(FILES, ours_s, strict=True))

    def exists(self, path: pathlib.Path) -> bool:
        assert path == UDEV_QUEUE
        return self.at_s < self._busy_s

    def writable(self, path: pathlib.Path) -> bool:
        return self.at_s >= self._ours_s[path]

    def pass_time(self, seconds: float) -> None:
        self.at_s += max(seconds, 0.1)


@pytest.mark.parametrize(
    ("busy_s", "ours_s", "closed", "until_s"),
    [
        (0.0, (0.0, 0.0, 0.0), None, 0.0),
        (0.0, (1.0, 1.5, 1.9), None, 1.9),
        (14.0, (13.0, 13.5, 14.2), None, 14.2),  # as an emulated machine took, with another beside it
        (0.0, (0.0, NEVER_S, NEVER_S), 1, IDLE_S),  # no rule: said soon
        (8.0, (0.0, 0.0, NEVER_S), 2, 8.0 + IDLE_S),
        (NEVER_S, (NEVER_S, NEVER_S, NEVER_S), 0, LONGEST_S),  # events without end
    ],
)
def test_it_waits_for_as_long_as_udev_works(
    busy_s: float, ours_s: tuple[float, ...], closed: int | None, until_s: float
) -> None:
    udev = Udev(busy_s, *ours_s)
    assert first_closed(udev, FILES, lambda: udev.at_s, udev.pass_time) == (None if closed is None else FILES[closed])
    assert udev.at_s == pytest.approx(until_s, abs=0.3)
