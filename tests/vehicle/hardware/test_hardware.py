"""The mock drivers: never kinder than real hardware."""

import json
import pathlib

import cv2
import numpy as np
import pytest

from shared import drivers
from shared.clock import ManualClock, SystemClock
from shared.errors import BadInput, ConfigError, HardwareMissing
from vehicle.core.pulses import Pulses
from vehicle.hardware.cameras.files import FilesCamera
from vehicle.hardware.cameras.mock import MockCamera
from vehicle.hardware.motors.mock import MockMotors

S = 1_000_000_000


def test_the_drivers_are_found_by_name() -> None:
    assert drivers.find("raceday.cameras", "mock") is MockCamera
    assert drivers.find("raceday.cameras", "files") is FilesCamera
    assert drivers.find("raceday.motors", "mock") is MockMotors


def test_the_mock_camera_gives_the_newest_due_frame_once() -> None:
    clock = ManualClock()
    camera = MockCamera({"rate_hz": 10.0}, clock)
    assert camera.read(0.0) is None
    clock.advance(S // 10)
    first = camera.read(0.0)
    assert first is not None
    assert (first.seq, first.at_ns, first.pixels.shape) == (1, S // 10, (240, 320))
    assert camera.read(0.0) is None
    clock.advance(S)
    late = camera.read(0.0)
    assert late is not None
    assert (late.seq, late.at_ns) == (10, S)  # what it was too slow for is gone
    assert not np.array_equal(first.pixels, late.pixels)


def test_the_mock_camera_waits_for_the_next_frame() -> None:
    camera = MockCamera({"rate_hz": 100.0}, SystemClock())
    frames = [camera.read(1.0) for _ in range(5)]
    numbers = [frame.seq for frame in frames if frame is not None]
    assert len(numbers) == 5
    assert numbers == sorted(set(numbers))
    camera.close()
    camera.close()


def test_the_mock_camera_freezes_stalls_and_dies_on_order() -> None:
    clock = ManualClock()
    frozen = MockCamera({"rate_hz": 10.0, "freeze_after": 2}, clock)
    stalled = MockCamera({"rate_hz": 10.0, "stall_after": 2}, clock)
    dying = MockCamera({"rate_hz": 10.0, "die_after": 2}, clock)
    clock.advance(3 * S // 10)
    one = frozen.read(0.0)
    clock.advance(4 * S // 10)
    other = frozen.read(0.0)
    assert one is not None
    assert other is not None
    assert np.array_equal(one.pixels, other.pixels)
    assert stalled.read(0.0) is None
    with pytest.raises(HardwareMissing, match="gone"):
        dying.read(0.0)


def test_the_files_camera_plays_a_folder_in_the_order_of_names(tmp_path: pathlib.Path) -> None:
    for name, value in (("b.png", 20), ("a.png", 10), ("c.png", 30)):
        cv2.imwrite(str(tmp_path / name), np.full((12, 16), value, np.uint8))
    clock = ManualClock()
    camera = FilesCamera({"folder": str(tmp_path), "rate_hz": 1.0}, clock)
    once = FilesCamera({"folder": str(tmp_path), "rate_hz": 1.0, "loop": False}, clock)
    greys = []
    for second in range(1, 5):
        clock.advance(second * S)
        frame = camera.read(0.0)
        assert frame is not None
        greys.append(int(frame.pixels[0, 0]))
    assert greys == [10, 20, 30, 10]
    assert once.read(0.0) is None


def test_a_folder_without_pictures_and_a_picture_that_is_none(tmp_path: pathlib.Path) -> None:
    with pytest.raises(BadInput, match="no pictures"):
        FilesCamera({"folder": str(tmp_path)}, ManualClock())
    (tmp_path / "a.png").write_bytes(b"no picture")
    with pytest.raises(BadInput, match="not a picture"):
        FilesCamera({"folder": str(tmp_path)}, ManualClock())


def test_the_mock_motors_remember_changes_and_round_down_as_drivers_do(tmp_path: pathlib.Path) -> None:
    clock = ManualClock(5)
    record = tmp_path / "pulses.jsonl"
    motors = MockMotors({"resolution_ns": 4_000, "record": str(record)}, clock)
    motors.apply(Pulses(1_451_999, 1_446_000))
    motors.apply(Pulses(1_448_000, 1_444_000))
    motors.neutral()
    motors.close()
    assert [(change.at_ns, change.pulses) for change in motors.changes] == [
        (5, Pulses(1_448_000, 1_444_000)),
        (5, Pulses(1_450_000, 1_446_000)),
    ]
    assert motors.pulses == Pulses(1_450_000, 1_446_000)
    lines = [json.loads(line) for line in record.read_text().splitlines()]
    assert lines[0] == {"at_ns": 5, "steering_ns": 1_448_000, "throttle_ns": 1_444_000}


@pytest.mark.parametrize("pulses", [Pulses(0, 1), Pulses(-5, 1_000_000), Pulses(1_450_000, 20_000_000)])
def test_the_mock_motors_refuse_what_no_pin_can_do(pulses: Pulses) -> None:
    with pytest.raises(HardwareMissing, match="refuse a pulse"):
        MockMotors({}, ManualClock()).apply(pulses)


def test_the_mock_motors_fail_on_order_and_name_a_bad_record(tmp_path: pathlib.Path) -> None:
    motors = MockMotors({"fail_after": 1}, ManualClock())
    motors.apply(Pulses(1_450_000, 1_446_000))
    with pytest.raises(HardwareMissing, match="do not answer"):
        motors.apply(Pulses(1_500_000, 1_446_000))
    with pytest.raises(ConfigError, match="cannot be written"):
        MockMotors({"record": str(tmp_path / "no" / "folder")}, ManualClock())
