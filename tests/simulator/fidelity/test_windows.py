"""Windows of drives: what is known at their beginning, nothing of what comes, and the simple predictions from it."""

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from simulator.fidelity.baselines import constant_turn, constant_velocity
from simulator.fidelity.simtrace import PICTURE_S, RecordedDrive
from simulator.fidelity.windows import FIRST_LINE, Windows, windows_of


def circle(turning: float, speed: float = 2.0, lines: int = 40, trace: str = "a.csv") -> RecordedDrive:
    """A drive along a circle, whose steps last unequally long."""
    at_s = 10.0 + np.cumsum(np.where(np.arange(lines) % 3 == 0, 0.05, 0.075))
    yaw = 0.3 + turning * (at_s - at_s[0])
    radius = speed / turning
    x_m, y_m = radius * np.sin(yaw), -radius * np.cos(yaw)
    return RecordedDrive(trace, "0", at_s, x_m, y_m, yaw, np.full(lines, 0.1), np.full(lines, speed))


def test_a_window_for_each_line_with_a_second_after_it() -> None:
    drive = circle(1.0)
    windows = windows_of([drive])
    after = np.flatnonzero(drive.at_s <= drive.at_s[-1] - 1.0)
    assert windows.line.tolist() == list(range(FIRST_LINE, after[-1] + 1))
    assert windows.given_s == pytest.approx(drive.at_s - PICTURE_S)
    until_s = drive.at_s[windows.line] + 1.0
    yaw = 0.3 + until_s - drive.at_s[0]
    assert windows.errors_m(2.0 * np.sin(yaw), -2.0 * np.cos(yaw)).max() < 2e-3


def test_speed_and_turning_at_the_beginning() -> None:
    windows = windows_of([circle(1.5)])
    ahead, left = windows.body_velocity()
    assert ahead == pytest.approx(np.full(len(windows), 2.0), rel=5e-3)
    assert np.max(np.abs(left)) < 0.05
    assert windows.turning() == pytest.approx(np.full(len(windows), 1.5))


def test_the_beginning_knows_nothing_of_what_comes() -> None:
    drive = circle(1.0)
    begins = 15
    rng = np.random.default_rng(3)
    later = np.arange(len(drive.at_s)) > begins
    other = replace(
        drive,
        x_m=drive.x_m + later * rng.normal(size=len(later)),
        y_m=drive.y_m + later * rng.normal(size=len(later)),
        yaw_rad=drive.yaw_rad + later * rng.normal(size=len(later)),
    )

    def known(windows: Windows) -> list[Any]:
        at = int(np.flatnonzero(windows.line == begins)[0])
        return [values[at] for values in (*windows.velocity(), *windows.body_velocity(), windows.turning())]

    assert known(windows_of([drive])) == known(windows_of([other]))


def test_drives_do_not_run_into_one_another_and_short_ones_have_no_window() -> None:
    long, short, other = circle(1.0), circle(1.0, lines=8), circle(-1.0, trace="b.csv")
    windows = windows_of([long, short, other])
    assert len(windows) == len(windows_of([long])) + len(windows_of([other]))
    second = windows.of(windows.trace == "b.csv")
    assert set(second.first.tolist()) == {48}
    assert set(second.last.tolist()) == {87}
    assert second.turning() == pytest.approx(np.full(len(second), -1.0))
    assert len(windows_of([])) == 0
    few = windows.at_most(7)
    assert (len(few), few.line[0], few.line[-1]) == (7, windows.line[0], windows.line[-1])
    assert windows.at_most(1000) is windows


@pytest.mark.parametrize("turning", [1.0, -2.0, 1e-9])
def test_constant_velocity_and_constant_turn(turning: float) -> None:
    windows = windows_of([circle(turning)])
    assert constant_turn(windows).max() < 0.05, "only unequal steps and chords are left"
    if abs(turning) < 1e-6:
        assert constant_velocity(windows).max() < 1e-5
        assert constant_turn(windows).max() < 1e-5
    else:
        chord = math.hypot(math.sin(turning) / turning - 1.0, (1.0 - math.cos(turning)) / turning)
        assert np.median(constant_velocity(windows)) == pytest.approx(2.0 * chord, rel=0.2)
        assert np.median(constant_velocity(windows)) > 5 * np.median(constant_turn(windows))
