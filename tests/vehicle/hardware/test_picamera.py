"""The Pi's camera by picamera2: the whole field of the sensor, and each way in which the library fails."""

import importlib
import pathlib

import numpy as np
import pytest

from shared.clock import ManualClock
from shared.errors import HardwareMissing
from tests.vehicle.hardware.fake_picamera import IMX219, PiCameraLibrary
from vehicle.hardware.cameras.picamera import PiCamera
from vehicle.hardware.cameras.sensor_modes import why_no_camera

S = 1_000_000_000


def test_it_gives_the_y_plane_with_the_sensors_stamp() -> None:
    library = PiCameraLibrary()
    camera = PiCamera({}, ManualClock(5 * S), library)
    frame = camera.read(0.1)
    assert frame is not None
    assert (frame.pixels.shape, frame.seq) == ((240, 320), 1)
    assert int(frame.pixels.max()) < 255  # no padding, no colour
    assert frame.at_ns < 5 * S
    assert camera.read(0.1) is None
    camera.close()
    camera.close()
    assert library.calls == ["start", "release", "stop", "close"]
    assert camera.read(0.1) is None


def test_a_frame_without_a_stamp_or_with_the_last_ones_is_dropped() -> None:
    library = PiCameraLibrary(frames=4)
    camera = PiCamera({}, ManualClock(5 * S), library)
    frames = [camera.read(0.1)]
    library.metadata = {}
    frames.append(camera.read(0.1))
    library.metadata = {"SensorTimestamp": -S}
    frames.append(camera.read(0.1))
    library.metadata = {"SensorTimestamp": 10**6 * S}
    frames.append(camera.read(0.1))
    assert [frame.seq if frame else None for frame in frames] == [1, None, None, None]


@pytest.mark.parametrize(("width_px", "height_px"), [(320, 240), (160, 120), (640, 480)])
def test_the_picture_is_the_whole_field_of_the_sensor(width_px: int, height_px: int) -> None:
    frame = PiCamera({"width_px": width_px, "height_px": height_px}, ManualClock(), PiCameraLibrary()).read(0.1)
    assert frame is not None
    across, down = frame.pixels[0].astype(int), frame.pixels[:, 0].astype(int)
    assert across[-1] - across[0] == pytest.approx(100, abs=2)
    assert down[-1] - down[0] == pytest.approx(100, abs=2)


def test_the_fake_crops_as_libcamera_does_when_nothing_is_named() -> None:
    """What the driver did before: a strip of 16:9, squeezed into 4:3 (picamera2 #450)."""
    library = PiCameraLibrary()
    library.configure({"lores": {"size": (320, 240)}, "queue": False})
    picture = library.make_array("lores")[:240, :320].astype(int)
    assert picture[-1, 0] - picture[0, 0] == pytest.approx(75, abs=2)
    library.configure({"main": {"size": (320, 240)}, "queue": False})
    assert library.crop == (1000, 752, 1280, 960)  # camera_ros #99: the middle of an IMX219


def test_an_upside_down_camera_is_turned() -> None:
    straight = PiCamera({}, ManualClock(), PiCameraLibrary()).read(0.1)
    turned = PiCamera({"flip": True}, ManualClock(), PiCameraLibrary()).read(0.1)
    assert straight is not None
    assert turned is not None
    assert np.array_equal(turned.pixels, straight.pixels[::-1, ::-1])


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (ModuleNotFoundError("No module named 'picamera2'", name="picamera2"), "needs python3-picamera2 in a virtual"),
        # raspberrypi/picamera2 #1088, #1170, #1211: simplejpeg built for numpy 1
        (
            ValueError(
                "numpy.dtype size changed, may indicate binary incompatibility. Expected 96 from C header, got 88"
            ),
            'built for another numpy .*Bookworm: set `driver = "rpicam"`',
        ),
        (ImportError("numpy.core.multiarray failed to import"), 'built for another numpy .*`driver = "rpicam"`'),
        (
            ModuleNotFoundError("No module named 'libcamera'", name="libcamera"),
            r"does not load \(ModuleNotFoundError: No module named 'libcamera'\): set `driver",
        ),
        (OSError("libcamera.so.0.5: cannot open shared object file"), r"does not load \(OSError: libcamera.so.0.5"),
    ],
)
def test_a_library_that_does_not_load_is_a_sentence_with_the_cure(
    monkeypatch: pytest.MonkeyPatch, error: Exception, sentence: str
) -> None:
    def fails(_name: str) -> None:
        raise error

    monkeypatch.setattr(importlib, "import_module", fails)
    with pytest.raises(HardwareMissing, match=sentence):
        PiCamera({}, ManualClock())


def test_a_camera_that_is_absent_or_stops_is_a_sentence() -> None:
    with pytest.raises(HardwareMissing, match="camera 3 does not start"):
        PiCamera({"camera": 3}, ManualClock(), PiCameraLibrary())
    with pytest.raises(HardwareMissing, match="check its ribbon"):
        PiCamera({}, ManualClock(), PiCameraLibrary(error=RuntimeError("the camera timed out"))).read(0.1)
    frame = PiCamera({}, ManualClock(), PiCameraLibrary(modes=IMX219[:1])).read(0.1)  # a sensor with one mode
    assert frame is not None


def test_why_there_is_no_camera(tmp_path: pathlib.Path) -> None:
    """The errors: picamera2 when another program has the camera; rpicam-apps #218 and #809 without /dev/dma_heap."""
    busy = "Failed to acquire camera: Device or resource busy"
    assert "in use by another program" in why_no_camera(0, busy, tmp_path)
    assert "in use by another program" in why_no_camera(0, "Camera __init__ sequence did not complete.", tmp_path)
    assert "char-dma_heap" in why_no_camera(0, "list index out of range", tmp_path)  # a heap folder without a heap
    (tmp_path / "linux,cma").touch()
    assert "dtoverlay=imx219" in why_no_camera(0, "list index out of range", tmp_path)
    assert "dtoverlay=imx219" in why_no_camera(0, "list index out of range", tmp_path / "absent")
