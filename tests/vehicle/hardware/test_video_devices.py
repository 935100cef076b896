"""Finding the camera among a machine's video devices: nodes as real machines have them, by a fake of the two ioctls."""

import errno
import os
import pathlib
import struct
from collections.abc import Callable

import pytest

from shared.clock import ManualClock
from shared.errors import HardwareMissing
from vehicle.hardware.cameras.v4l2 import V4l2Camera
from vehicle.hardware.cameras.video_devices import (
    VideoDevice,
    chosen,
    find_camera,
    firmware_hint,
    read_device,
    video_devices,
)

CAPTURE, META, M2M = 0x1, 0x00800000, 0x4000
BIG_ENDIAN = 1 << 31


def node(driver: str, card: str, own: int, formats: tuple[bytes, ...] = ()) -> Callable[[int, int, bytearray], int]:
    """The answers of one node, in the layout of linux/videodev2.h."""

    def ioctl(_descriptor: int, request: int, answer: bytearray) -> int:
        if request == 0x80685600:
            both = CAPTURE | META | 0x80000000  # of the whole device: a webcam's metadata node names both
            struct.pack_into("=16s32s32sIII", answer, 0, driver.encode(), card.encode(), b"usb-1", 0x60A00, both, own)
            return 0
        assert request == 0xC0405602
        index, kind = struct.unpack_from("=II", answer)
        if kind != 1 or index >= len(formats):
            raise OSError(errno.EINVAL, "Invalid argument")
        code = int.from_bytes(formats[index], "little")
        struct.pack_into("=III32sII", answer, 0, index, kind, 1, b"Motion-JPEG", code, 0)
        return 0

    return ioctl


CONDOR = VideoDevice(pathlib.Path("/dev/video3"), "GEO Semi Condor: Camera", "uvcvideo", ("MJPG", "H264"))
METADATA = VideoDevice(pathlib.Path("/dev/video1"), "GEO Semi Condor: Camera", "uvcvideo")
WEBCAM = VideoDevice(pathlib.Path("/dev/video0"), "USB 2.0 PC Cam", "uvcvideo", ("YUYV",))
ISP = VideoDevice(pathlib.Path("/dev/video14"), "bcm2835-isp", "bcm2835-isp", ("YUYV", "YU12", "NV12"))
CODEC = VideoDevice(pathlib.Path("/dev/video11"), "bcm2835-codec-encode", "bcm2835-codec")
DENIED = VideoDevice(pathlib.Path("/dev/video0"), trouble="not allowed: add this user to the group video")


@pytest.mark.parametrize(
    ("devices", "expected"),
    [
        ([METADATA, CONDOR], CONDOR),
        ([WEBCAM, METADATA, CONDOR], CONDOR),  # MJPEG goes before a lower number
        ([CODEC, ISP, WEBCAM], WEBCAM),  # the Pi's scaler offers YUYV too, and is no camera
        ([VideoDevice(pathlib.Path("/dev/video0"), "vivid", "vivid", ("YUYV",))], None),
    ],
)
def test_the_first_camera_with_mjpeg_is_taken(devices: list[VideoDevice], expected: VideoDevice | None) -> None:
    assert chosen(devices) == (expected or devices[0])


@pytest.mark.parametrize(
    ("devices", "sentence"),
    [
        ([], r"no camera is found; seen: no /dev/video\* at all. Is it plugged in\?"),
        ([CODEC, ISP], r"video11 \(bcm2835-codec-encode: gives no pictures\), /dev/video14 \(bcm2835-isp: YUYV, YU12"),
        ([DENIED], r"/dev/video0 \(not allowed: add this user to the group video\)"),
    ],
)
def test_without_one_the_sentence_names_all_that_it_saw(devices: list[VideoDevice], sentence: str) -> None:
    with pytest.raises(HardwareMissing, match=sentence):
        chosen(devices)


def test_a_node_says_what_it_is(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "video3"
    path.touch()
    device = read_device(path, node("uvcvideo", "GEO Semi Condor", CAPTURE, (b"MJPG", b"Y16 ")))
    assert device == VideoDevice(path, "GEO Semi Condor", "uvcvideo", ("MJPG", "Y16"))
    assert read_device(path, node("uvcvideo", "GEO Semi Condor", META, (b"UVCH",))).formats == ()
    assert read_device(path, node("bcm2835-codec", "encode", M2M, (b"MJPG",))).formats == ()
    big = (int.from_bytes(b"Y16 ", "little") | BIG_ENDIAN).to_bytes(4, "little")
    assert read_device(path, node("vivid", "vivid", CAPTURE, (big,))).formats == ("Y16",)
    odd = read_device(path, node("x", "evil\x1b[31m\nname", CAPTURE, (b"\x00\xff\x1b\n",)))
    assert odd.card == "evil?[31m?name"


def test_a_node_that_is_none_or_that_is_refused_is_named_with_its_reason(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "video0"
    assert read_device(path).trouble == os.strerror(errno.ENOENT)
    path.touch()
    assert read_device(path).trouble == os.strerror(errno.ENOTTY)  # the kernel's own answer for a file


def test_devices_come_by_number_and_other_names_are_left(tmp_path: pathlib.Path) -> None:
    for name in ("video10", "video2", "video", "videodev", "vbi0"):
        (tmp_path / name).touch()
    assert [device.path.name for device in video_devices(tmp_path)] == ["video2", "video10"]


def test_a_name_by_id_stays_the_same_when_the_camera_is_plugged_in_again(tmp_path: pathlib.Path) -> None:
    by_id = tmp_path / "v4l" / "by-id"
    by_id.mkdir(parents=True)
    name = "usb-GEO_Semi_Condor_00000001-video-index0"
    for number in ("video0", "video4"):
        (tmp_path / number).touch()
        (by_id / name).unlink(missing_ok=True)
        (by_id / name).symlink_to(f"../../{number}")
        assert find_camera(name, tmp_path, tmp_path).resolve() == tmp_path / number
    with pytest.raises(HardwareMissing, match=rf"no camera at .*/another; found here: .*video0.*`{name}`"):
        find_camera("another", tmp_path, tmp_path)


def test_a_missing_path_is_named_and_so_is_what_is_no_camera(tmp_path: pathlib.Path) -> None:
    (tmp_path / "video7").touch()
    with pytest.raises(HardwareMissing, match=r"no camera at .*video0; found here: .*video7"):
        find_camera(str(tmp_path / "video0"), tmp_path, tmp_path)
    with pytest.raises(HardwareMissing, match="cannot be opened as a camera"):
        V4l2Camera({"device": str(tmp_path / "video7")}, ManualClock())


@pytest.mark.parametrize(("product", "says"), [("b00c", True), ("4d53", False), ("B00C", True)])
def test_a_camera_without_firmware_is_known_by_its_boot_loader(
    tmp_path: pathlib.Path, product: str, says: bool
) -> None:
    """The ids: 29fe:b00c in the udev rule of digitalloggers, 29fe:4d53 in the kernel's uvcvideo quirk."""
    usb = tmp_path / "bus" / "usb" / "devices" / "1-2"
    usb.mkdir(parents=True)
    (usb / "idVendor").write_text("29fe\n")
    (usb / "idProduct").write_text(f"{product}\n")
    (tmp_path / "bus" / "usb" / "devices" / "1-3").mkdir()
    assert firmware_hint(tmp_path).startswith("A GC6500 camera") is says
    if says:
        with pytest.raises(HardwareMissing, match=r"no camera is found; seen: .* waits for its firmware, .*mxcam boot"):
            find_camera("auto", tmp_path, tmp_path)
