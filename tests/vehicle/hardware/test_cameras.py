"""The real cameras' drivers: V4L2 on a fake device, a fake of the Pi's library, and a video file."""

import pathlib

import cv2
import numpy as np
import pytest

from shared import drivers
from shared.clock import ManualClock
from shared.errors import BadInput, ConfigError
from tests.vehicle.hardware.fake_usb_camera import UsbCamera, corner
from vehicle.hardware.cameras.mock import MockCamera
from vehicle.hardware.cameras.picamera import PiCamera
from vehicle.hardware.cameras.rpicam import RpicamCamera
from vehicle.hardware.cameras.v4l2 import V4l2Camera
from vehicle.hardware.cameras.video import VideoCamera

S = 1_000_000_000


def test_the_drivers_are_found_by_name() -> None:
    classes = [drivers.find("raceday.cameras", name) for name in ("v4l2", "video", "picamera", "rpicam")]
    assert classes == [V4l2Camera, VideoCamera, PiCamera, RpicamCamera]


# Turned pictures: the light corner of a picture that is dark else, by flip

CORNERS = {"none": (0, 0), "horizontal": (0, -1), "vertical": (-1, 0), "both": (-1, -1)}


@pytest.mark.parametrize(("flip", "place"), CORNERS.items())
def test_a_video_is_turned_too(tmp_path: pathlib.Path, flip: str, place: tuple[int, int]) -> None:
    path = tmp_path / "corner.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 10.0, (64, 48))
    writer.write(np.dstack([corner()] * 3))
    writer.release()
    clock = ManualClock()
    camera = VideoCamera({"file": str(path), "flip": flip}, clock)
    clock.advance(S // 10)
    frame = camera.read(0.0)
    assert frame is not None
    assert frame.pixels[place] > 180
    camera.close()


def test_the_mock_turns_as_the_hardware_does_and_refuses_what_it_refuses() -> None:
    pictures = {}
    for flip in CORNERS:
        clock = ManualClock()
        camera = MockCamera({"flip": flip}, clock)
        clock.advance(S)
        frame = camera.read(0.0)
        assert frame is not None
        pictures[flip] = frame.pixels
    assert np.array_equal(pictures["horizontal"], pictures["none"][:, ::-1])
    assert np.array_equal(pictures["vertical"], pictures["none"][::-1])
    assert np.array_equal(pictures["both"], pictures["none"][::-1, ::-1])
    with pytest.raises(ConfigError, match=r"`flip` is 'left'; allowed is none, horizontal, vertical, both"):
        V4l2Camera({"flip": "left"}, ManualClock(), UsbCamera([]))
    with pytest.raises(ConfigError, match=r"`flip` is 'left'; allowed is none, horizontal, vertical, both"):
        MockCamera({"flip": "left"}, ManualClock())


# A video file


@pytest.fixture
def drive(tmp_path: pathlib.Path) -> pathlib.Path:
    path = tmp_path / "drive.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 10.0, (64, 48))
    for value in (50, 100, 150):
        writer.write(np.full((48, 64, 3), value, np.uint8))
    writer.release()
    return path


def test_a_video_plays_at_its_own_rate_and_begins_again(drive: pathlib.Path) -> None:
    clock = ManualClock()
    camera = VideoCamera({"file": str(drive)}, clock)
    assert camera.read(0.0) is None
    greys = []
    for tenth in (1, 2, 3, 4, 6):
        clock.advance(tenth * S // 10)
        frame = camera.read(0.0)
        assert frame is not None
        assert (frame.at_ns, frame.seq) == (tenth * S // 10, tenth)
        greys.append(round(int(frame.pixels.mean()) / 50))
    assert greys == [1, 2, 3, 1, 3]  # the fifth was missed
    camera.close()


def test_a_video_that_ends_gives_no_more(drive: pathlib.Path) -> None:
    clock = ManualClock()
    camera = VideoCamera({"file": str(drive), "loop": False, "rate_hz": 1.0}, clock)
    clock.advance(9 * S)
    assert camera.read(0.0) is None
    clock.advance(10 * S)
    assert camera.read(0.0) is None
    camera.close()


def test_what_is_no_video_is_named(tmp_path: pathlib.Path) -> None:
    (tmp_path / "drive.avi").write_bytes(b"no video at all")
    for name in ("drive.avi", "nothing.avi"):
        with pytest.raises(BadInput, match="is not a video"):
            VideoCamera({"file": str(tmp_path / name)}, ManualClock())
