"""The Pi's camera by rpicam-vid: its list of modes, its two streams, and the driver on a child that writes likewise."""

import contextlib
import os
import pathlib
import stat
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.clock import ManualClock
from shared.errors import ConfigError, HardwareMissing
from vehicle.hardware.cameras.rpicam import RpicamCamera, RpicamOptions, arguments
from vehicle.hardware.cameras.sensor_modes import SensorMode, listed_modes, widest_mode
from vehicle.hardware.cameras.yuv_stream import FrameMetadata, YuvFrames

# As printed: raspberrypi/documentation (IMX219), rpicam-apps #533 (IMX708 wide), Gordon999/RPiCamGUI #14 (IMX585 on a
# Pi 5), rpicam-apps #312 (IMX477, the older form without crops).
IMX219 = """Available cameras
-----------------
0 : imx219 [3280x2464 10-bit RGGB] (/base/soc/i2c0mux/i2c@1/imx219@10)
    Modes: 'SRGGB10_CSI2P' : 640x480 [206.65 fps - (1000, 752)/1280x960 crop]
                             1640x1232 [41.85 fps - (0, 0)/3280x2464 crop]
                             1920x1080 [47.57 fps - (680, 692)/1920x1080 crop]
                             3280x2464 [21.19 fps - (0, 0)/3280x2464 crop]
           'SRGGB8' : 640x480 [206.65 fps - (1000, 752)/1280x960 crop]
                      1640x1232 [83.70 fps - (0, 0)/3280x2464 crop]
"""
IMX708 = """Available cameras
-----------------
0 : imx708_wide [4608x2592] (/base/soc/i2c0mux/i2c@1/imx708@1a)
    Modes: 'SRGGB10_CSI2P' : 1536x864 [120.13 fps - (768, 432)/3072x1728 crop]
                             2304x1296 [56.03 fps - (0, 0)/4608x2592 crop]
                             4608x2592 [14.35 fps - (0, 0)/4608x2592 crop]

    Available controls for 4608x2592 SRGGB10_CSI2P mode:
"""
IMX585 = """Available cameras
-----------------
0 : imx585 [3840x2160 16-bit RGGB] (/base/axi/pcie@120000/rp1/i2c@80000/imx585@1A)
    Modes: 'SRGGB12_CSI2P' : 1928x1090 [87.60 fps - (0, 0)/3840x2160 crop]
                             3856x2180 [43.80 fps - (0, 0)/3840x2160 crop]
           'SRGGB16' : 1928x1090 [30.00 fps - (0, 0)/3840x2160 crop]
                       3856x2180 [21.90 fps - (0, 0)/3840x2160 crop]
"""
IMX477 = """0 : imx477 [4056x3040] (/base/soc/i2c0mux/i2c@1/imx477@1a)
    Modes: 'SRGGB10_CSI2P' : 1332x990 (120.00 fps)
"""


@pytest.mark.parametrize(
    ("listing", "rate_hz", "expected"),
    [
        (IMX219, 30.0, (1640, 1232, 10)),
        (IMX219, 60.0, (1640, 1232, 8)),  # fast enough only with 8 bits
        (IMX219, 120.0, (1640, 1232, 8)),  # none is: the fastest that sees all
        (IMX708, 30.0, (2304, 1296, 10)),
        (IMX585, 60.0, (1928, 1090, 12)),
        (IMX477, 30.0, None),
        ("No cameras available!\n", 30.0, None),
    ],
)
def test_the_mode_that_sees_most_is_chosen_then_the_rate(
    listing: str, rate_hz: float, expected: tuple[int, int, int] | None
) -> None:
    _, modes = listed_modes(listing).get(0, ("", []))
    mode = widest_mode(modes, rate_hz, 320, 240)
    assert (None if mode is None else (mode.width_px, mode.height_px, mode.bits)) == expected


def test_modes_that_see_nearly_the_same_count_as_one() -> None:
    """The OV5647 (Camera Module 1) covers 2560 of its 2592 columns in the binned mode, at three times the rate."""
    binned = SensorMode(1296, 972, 46.34, 2560, 1920, 10)
    assert widest_mode([SensorMode(2592, 1944, 15.63, 2592, 1944, 10), binned], 30.0, 320, 240) == binned


def test_several_cameras_are_listed_by_number() -> None:
    both = IMX219 + IMX708.replace("0 : imx708", "1 : imx708").split("\n", 2)[2]
    assert {number: name for number, (name, _) in listed_modes(both).items()} == {0: "imx219", 1: "imx708_wide"}


@given(st.lists(st.integers(0, 255), max_size=8), st.lists(st.integers(1, 100), min_size=1, max_size=60))
def test_frames_and_stamps_are_the_same_however_the_pipes_cut_them(greys: list[int], cuts: list[int]) -> None:
    frames, metadata = YuvFrames(8, 4), FrameMetadata()
    stream = b"".join(bytes([grey]) * 32 + b"\x80" * 16 for grey in greys)
    text = b"".join(b"Lux=12.5\nSensorTimestamp=%d\nScalerCrop=(0, 0)/1x1\n\n" % (1000 + grey) for grey in greys)
    for at in _pieces(len(stream), cuts):
        frames.feed(stream[at])
    for at in _pieces(len(text), cuts):
        metadata.feed(text[at])
    assert frames.complete == metadata.received == len(greys)
    if greys:
        assert frames.take() == bytes([greys[-1]]) * 32
        assert metadata.take(len(greys)) == 1000 + greys[-1]
        assert (frames.complete, metadata.received, frames.wanted) == (0, 0, 48)


def _pieces(length: int, cuts: list[int]) -> list[slice]:
    pieces, at, turn = [], 0, 0
    while at < length:
        pieces.append(slice(at, at + cuts[turn % len(cuts)]))
        at, turn = at + cuts[turn % len(cuts)], turn + 1
    return pieces


@pytest.mark.parametrize("block", [b"Lux=1", b"SensorTimestamp=-1", b"SensorTimestamp=abc", b"XSensorTimestamp=5", b""])
def test_a_block_without_a_stamp_counts_and_has_none(block: bytes) -> None:
    metadata = FrameMetadata()
    metadata.feed(block + b"\n\nSensorTimestamp=7\n\n")
    assert metadata.received == 2
    assert metadata.take(1) is None
    assert metadata.take(1) == 7


def test_the_command_line_names_the_mode_and_turns_the_picture() -> None:
    mode = SensorMode(1640, 1232, 41.85, 3280, 2464, 10)
    line = " ".join(arguments("rpicam-vid", RpicamOptions(flip=True), mode, 5))
    assert line.startswith("rpicam-vid --camera 0 --nopreview --timeout 0 --flush --codec yuv420 --width 320 ")
    assert line.endswith("--metadata /dev/fd/5 --metadata-format txt --mode 1640:1232:10 --rotation 180")


@pytest.mark.parametrize("options", [{"width_px": 200}, {"height_px": 241}])
def test_a_width_whose_rows_would_be_padded_is_refused(options: dict[str, int]) -> None:
    """rpicam-apps #857: the padding of other widths is in the stream, and turns the picture to garbage."""
    with pytest.raises(ConfigError, match=r"`width_px` must be a multiple of 64, and `height_px` even\."):
        RpicamCamera(dict(options), ManualClock())


# The driver on a child of its own, which answers and writes as rpicam-apps does

PROGRAM = """#!{python} -IS
import os, sys, time
listing, frames, fault = {listing!r}, {frames!r}, {fault!r}
if "--list-cameras" in sys.argv:
    print(listing)
    sys.exit(0)
if fault:
    print("ERROR: *** " + fault + " ***", file=sys.stderr)
    sys.exit(255)
metadata = open(sys.argv[sys.argv.index("--metadata") + 1], "w")
for number in range(1, frames + 1):
    os.write(1, bytes([number]) * 76800)
    os.write(1, b"\\x80" * 38400)
    stamp = {stamp_ns}
    metadata.write("Lux=9\\nSensorTimestamp=%d\\n\\n" % stamp)
    metadata.flush()
time.sleep(60)
"""


BOOT_TIME_STAMP = "time.clock_gettime_ns(time.CLOCK_BOOTTIME) - 40_000_000"


def installed(
    folder: pathlib.Path,
    monkeypatch: pytest.MonkeyPatch,
    frames: int,
    listing: str,
    fault: str,
    stamp_ns: str = BOOT_TIME_STAMP,
) -> None:
    """Both programs of rpicam-apps, first on PATH. `stamp_ns`: how the child stamps frame `number`."""
    for name in ("rpicam-hello", "rpicam-vid"):
        path = folder / name
        path.write_text(
            PROGRAM.format(python=sys.executable, frames=frames, listing=listing, fault=fault, stamp_ns=stamp_ns)
        )
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")


def _first_frame() -> None:
    with contextlib.closing(RpicamCamera({}, ManualClock())) as camera:
        camera.read(20.0)


def test_the_newest_frame_comes_with_the_sensors_stamp(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """30 frames a second by their stamps, however late this process gets the processor; both clocks stand still."""
    installed(tmp_path, monkeypatch, 5, IMX219, "", stamp_ns="number * 33_000_000")
    monkeypatch.setattr("vehicle.hardware.cameras.rpicam.boot_time_ns", ManualClock(1_000_000_000).now_ns)
    with contextlib.closing(RpicamCamera({}, ManualClock(10_000_000_000))) as camera:
        last = 0
        while last < 5:  # the child writes as fast as we read: some are passed over, none comes twice or late
            frame = camera.read(20.0)
            assert frame is not None
            assert frame.seq > last
            last = frame.seq
            assert frame.pixels.shape == (240, 320)
            assert int(frame.pixels[0, 0]) == last
            assert frame.at_ns == 9_000_000_000 + last * 33_000_000
    camera.close()
    assert camera._child.returncode is not None
    assert camera.read(0.0) is None


def test_a_frame_without_a_stamp_is_none(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It may have waited in the pipe for as long as nobody read."""
    installed(tmp_path, monkeypatch, 5, IMX219, "")
    program = tmp_path / "rpicam-vid"
    stamped = 'metadata.write("Lux=9\\nSensorTimestamp=%d\\n\\n" % stamp)'
    assert stamped in program.read_text()
    without = f'{stamped} if number == 5 else metadata.write("Lux=9\\n\\n")'
    program.write_text(program.read_text().replace(stamped, without))
    with contextlib.closing(RpicamCamera({}, ManualClock(10_000_000_000))) as camera:
        frame = camera.read(20.0)
    assert frame is not None
    assert (frame.seq, int(frame.pixels[0, 0])) == (5, 5)
    assert 0 < frame.at_ns <= 10_000_000_000 - 40_000_000


@pytest.mark.parametrize(
    ("listing", "fault", "sentence"),
    [
        ("No cameras available!", "", r"camera 0 does not start \(cameras found: none\)"),
        (IMX219, "failed to acquire camera", r"camera 0 does not start \(ERROR: \*\*\* failed to acquire camera"),
        (IMX219, "Pipeline handler in use by another process", "is in use by another program"),
    ],
)
def test_a_camera_that_does_not_start_is_a_sentence(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch, listing: str, fault: str, sentence: str
) -> None:
    installed(tmp_path, monkeypatch, 1, listing, fault)
    with pytest.raises(HardwareMissing, match=sentence):
        _first_frame()


def test_without_rpicam_apps_the_sentence_names_the_package(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(HardwareMissing, match="apt-get install rpicam-apps-lite"):
        RpicamCamera({}, ManualClock())
