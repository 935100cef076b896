"""The V4L2 camera on a fake of the kernel's queue: the camera's full rate, the newest frame, and its true age."""

import pathlib

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from shared.errors import HardwareMissing
from tests.vehicle.hardware.fake_usb_camera import COPY_NS, PERIOD_NS, TRANSFER_NS, UsbCamera, corner, encoded, jpeg
from vehicle.hardware.cameras.opencv_capture import OpenCvCapture
from vehicle.hardware.cameras.v4l2 import BUFFERS, V4l2Camera

MS = 1_000_000
DECODE_NS = 15 * MS  # of a frame on a busy Atom, beyond the first data of the next
GREY = jpeg(90)


def opened(device: UsbCamera, **options: object) -> V4l2Camera:
    return V4l2Camera(dict(options), device.clock, device, device.monotonic_ns)


@pytest.mark.parametrize(("decode", "shape"), [("reduced", (120, 160)), ("half", (240, 320)), ("grey", (480, 640))])
def test_it_decodes_grey_at_the_requested_size(decode: str, shape: tuple[int, int]) -> None:
    device = UsbCamera([GREY])
    camera = opened(device, decode=decode)
    frame = camera.read(0.5)
    assert frame is not None
    assert (frame.pixels.shape, frame.seq) == (shape, 1)
    assert abs(int(frame.pixels.mean()) - 90) <= 1
    assert device.settings[cv2.CAP_PROP_CONVERT_RGB] == 0
    camera.close()
    assert device.released
    assert camera.read(0.0) is None


def read_for(device: UsbCamera, camera: V4l2Camera, duration_ns: int, decode_ns: int) -> list[int]:
    """Read as the pilot's camera thread does; the age of each frame at the end of its read."""
    ages, end_ns = [], device.now_ns + duration_ns
    while device.now_ns < end_ns:
        before_ns = device.now_ns
        frame = camera.read(0.5)
        assert frame is not None
        ages.append(device.now_ns - device.stamp_ns())
        device.advance(decode_ns)
        assert device.now_ns > before_ns
    return ages


def test_a_camera_gives_its_full_rate_and_no_frame_is_lost_while_we_decode() -> None:
    device = UsbCamera(GREY)
    assert len(read_for(device, opened(device), 3_300 * MS, DECODE_NS)) == pytest.approx(100, abs=1)
    assert device.lost == 0


def test_with_one_buffer_it_would_give_half_its_rate() -> None:
    """The rule that no fake had: the next frame begins while the program holds the buffer (LibreScanner/horus #60)."""
    device = UsbCamera(GREY)
    camera = opened(device)
    device.set(cv2.CAP_PROP_BUFFERSIZE, 1)
    # The bus is busy nearly all the time: the next frame's first data come before the buffer is back.
    assert len(read_for(device, camera, 3_300 * MS, DECODE_NS)) == pytest.approx(50, abs=1)
    assert device.lost == pytest.approx(50, abs=2)


@pytest.mark.parametrize("stall_periods", [0.3, 1.5, 2.5, 3.5, 4.5, 5.5, 30.0])
def test_after_a_stall_the_newest_frame_comes_never_a_queued_one(stall_periods: float) -> None:
    device = UsbCamera(GREY)
    camera = opened(device)
    assert camera.read(0.5) is not None
    device.advance(round(stall_periods * PERIOD_NS))
    assert camera.read(0.5) is not None
    # No frame is younger than its transfer; beyond one more period there would have been a newer one.
    assert TRANSFER_NS <= device.now_ns - device.stamp_ns() < TRANSFER_NS + PERIOD_NS + 4 * COPY_NS


def test_frames_that_were_passed_over_are_counted() -> None:
    device = UsbCamera(GREY)
    camera = opened(device)
    first = camera.read(0.5)
    device.advance(2 * PERIOD_NS + MS)
    second = camera.read(0.5)
    assert first is not None
    assert second is not None
    assert (first.seq, second.seq) == (1, 3)


def test_the_stamp_is_the_kernels_of_the_first_data_on_the_bus() -> None:
    device = UsbCamera(GREY)
    frame = opened(device).read(0.5)
    assert frame is not None
    assert frame.at_ns == device.clock.now_ns() - TRANSFER_NS - COPY_NS


@pytest.mark.parametrize("stall_ns", [400 * MS, 1_200 * MS, 90_000 * MS])
def test_a_frame_that_waited_while_all_stood_still_is_as_old_as_it_is(stall_ns: int) -> None:
    """The camera falls silent after two frames, and nobody reads: the newest of them is no new picture."""
    device = UsbCamera([GREY, GREY, GREY])
    camera = opened(device)
    assert camera.read(0.5) is not None
    device.advance(stall_ns)
    frame = camera.read(0.5)
    assert frame is not None
    assert device.clock.now_ns() - frame.at_ns == device.now_ns - device.stamp_ns() >= stall_ns - 2 * PERIOD_NS


@pytest.mark.parametrize("wall_clock", [True, False])
@pytest.mark.parametrize("waiting", [1, 2, 3])
def test_on_another_clock_or_an_unknown_one_a_frame_that_waited_is_dropped(wall_clock: bool, waiting: int) -> None:
    """Nothing says how long it waited: it may be the picture of a minute and a half ago."""
    device = UsbCamera([GREY] * (1 + waiting), wall_clock=wall_clock)
    camera = opened(device)
    if wall_clock:
        assert camera.read(0.5) is not None  # waited for: this is how the camera's clock is known
    else:
        device.advance(PERIOD_NS)
    device.advance(90_000 * MS)
    assert camera.read(0.5) is None
    assert camera.read(0.5) is None, "and there is no other"


def test_what_clock_a_camera_has_is_decided_once() -> None:
    device = UsbCamera(GREY, wall_clock=True)
    camera = opened(device)
    frames = [camera.read(0.5)]
    device.advance(PERIOD_NS + MS)
    frames += [camera.read(0.5), camera.read(0.5), camera.read(0.5)]
    assert [frame.seq if frame else None for frame in frames] == [1, None, 3, 4]


def test_a_frame_that_waited_does_not_decide_what_clock_a_camera_has(monkeypatch: pytest.MonkeyPatch) -> None:
    """A clock that is ahead by just as long as the first frame waited makes that frame look new."""
    device = UsbCamera([GREY])
    camera = opened(device)
    device.advance(PERIOD_NS)
    device.advance(90_000 * MS)
    begun_ns = device.now_ns
    monkeypatch.setattr(device, "stamp_ns", lambda: begun_ns)
    assert camera.read(0.5) is None


def test_of_a_full_queue_no_old_frame_is_given_if_the_next_does_not_come() -> None:
    device = UsbCamera([GREY] * (1 + BUFFERS))
    camera = opened(device)
    assert camera.read(0.5) is not None
    device.advance(90_000 * MS)
    assert camera.read(0.5) is None


def test_a_stamp_that_stands_still_gives_no_further_frame(monkeypatch: pytest.MonkeyPatch) -> None:
    device = UsbCamera(GREY)
    camera = opened(device)
    assert camera.read(0.5) is not None
    stamp_ns = device.stamp_ns()
    monkeypatch.setattr(device, "stamp_ns", lambda: stamp_ns)
    assert camera.read(0.5) is None
    device.advance(1_100 * MS)
    with pytest.raises(HardwareMissing, match="gives only pictures of unknown age"):
        camera.read(0.5)


def test_a_driver_that_stamps_by_another_clock_gets_the_time_of_arrival() -> None:
    """Kernels before 3.9 stamped by the wall clock (V4L2_BUF_FLAG_TIMESTAMP_UNKNOWN)."""
    device = UsbCamera(GREY, wall_clock=True)
    frame = opened(device).read(0.5)
    assert frame is not None
    assert frame.at_ns == device.clock.now_ns()


def test_it_asks_for_more_buffers_than_it_holds() -> None:
    device = UsbCamera(GREY)
    opened(device)
    assert device.settings[cv2.CAP_PROP_BUFFERSIZE] == BUFFERS >= 2


def test_the_y_plane_of_a_camera_without_mjpeg_and_colours_as_they_come() -> None:
    yuyv = np.zeros((480, 640, 2), np.uint8)
    yuyv[:, :, 0] = 55
    camera = opened(UsbCamera([yuyv, np.full((480, 640, 3), 66, np.uint8)]))
    for value in (55, 66):
        frame = camera.read(0.1)
        assert frame is not None
        assert (frame.pixels.ndim, int(frame.pixels[5, 5])) == (2, value)


def test_a_torn_picture_is_skipped_and_its_number_is_missing() -> None:
    camera = opened(UsbCamera([jpeg(1), np.arange(64, dtype=np.uint8), jpeg(2)]))
    frames = [camera.read(0.1) for _ in range(3)]
    assert [frame.seq if frame else None for frame in frames] == [1, None, 3]


def test_an_unplugged_camera_is_gone_after_a_second() -> None:
    device = UsbCamera([jpeg(1)])
    camera = opened(device)
    assert camera.read(0.01) is not None
    assert camera.read(0.0) is None
    device.advance(900 * MS)
    assert camera.read(0.0) is None
    device.advance(200 * MS)
    with pytest.raises(HardwareMissing, match="auto gives no more frames: is the camera still plugged in"):
        camera.read(0.0)


CORNERS = {"none": (0, 0), "horizontal": (0, -1), "vertical": (-1, 0), "both": (-1, -1)}


@pytest.mark.parametrize(("flip", "place"), CORNERS.items())
def test_a_camera_that_hangs_another_way_round_is_turned(flip: str, place: tuple[int, int]) -> None:
    yuyv: NDArray[np.uint8] = np.dstack([corner(480, 640), np.zeros((480, 640), np.uint8)])
    camera = opened(UsbCamera([encoded(corner(480, 640)), yuyv]), flip=flip)
    for _ in range(2):
        frame = camera.read(0.1)
        assert frame is not None
        assert frame.pixels[place] > 200
        assert (frame.pixels > 200).mean() < 0.1
        assert frame.pixels.flags.c_contiguous


def test_opencvs_own_calls_are_there_and_a_capture_that_cannot_be_polled_has_nothing_waiting(
    tmp_path: pathlib.Path,
) -> None:
    path = tmp_path / "two.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 10.0, (64, 48))
    for value in (50, 100):
        writer.write(np.full((48, 64, 3), value, np.uint8))
    writer.release()
    capture = OpenCvCapture(cv2.VideoCapture(str(path)))
    assert capture.grab()
    assert not capture.grab_waiting()
    ok, data = capture.retrieve()
    assert ok
    assert data.shape == (48, 64, 3)
    assert capture.stamp_ns() >= 0
    capture.release()
    assert not capture.grab()
