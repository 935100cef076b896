"""The video devices of this machine: which of them give pictures, and which one the v4l2 camera's `device` means.

The numbers of /dev/videoN change from one start to the next, on the stock DeepRacer intermittently (its own camera
node scans them from 4 to 0: aws-deepracer-camera-pkg, `camera_node.cpp`). A webcam has a second node for metadata, a
Raspberry Pi has a dozen nodes of codecs and scalers. So each node is asked: VIDIOC_QUERYCAP, then VIDIOC_ENUM_FMT.
Source: linux/videodev2.h. Called by v4l2.py and by the camera's findings.
"""

import errno
import fcntl
import os
import pathlib
import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from shared.errors import HardwareMissing
from vehicle.process.landlock import FileGrant

DEV, SYS = pathlib.Path("/dev"), pathlib.Path("/sys")
AUTO = "auto"
MJPEG = "MJPG"
# struct v4l2_capability: driver, card, bus_info, version, capabilities, device_caps, reserved[3].
_CAPABILITY = struct.Struct("=16s32s32sIII12x")
# struct v4l2_fmtdesc: index, type, flags, description, pixelformat, mbus_code, reserved[3].
_FORMAT = struct.Struct("=III32sI16x")
_QUERYCAP, _ENUM_FMT = 0x80685600, 0xC0405602
_VIDEO_CAPTURE, _HAS_DEVICE_CAPS = 0x1, 0x80000000
_TYPE_VIDEO_CAPTURE = 1
_MAX_FORMATS = 32
_CAMERA_DRIVERS = ("uvcvideo", "vivid")  # without MJPEG only these: the Pi's scalers offer YUYV too, and are no cameras

# The stock car's camera, a GEO Semiconductor GC6500: with firmware it is the video device 29fe:4d53. Without, it waits
# in its boot loader as 29fe:b00c, and has no node (digitalloggers' udev rule for their GC6500 boots it by that id).
GC6500_BOOT_LOADER = ("29fe", "b00c")
NO_FIRMWARE = (
    "A GC6500 camera (USB 29fe:b00c) waits for its firmware, which it loses without power: boot it with the maker's "
    "`mxcam boot`, on the stock car by the scripts in /opt/aws/deepracer/camera, or switch the car off and on."
)

Ioctl = Callable[[int, int, bytearray], Any]


@dataclass(frozen=True, slots=True)
class VideoDevice:
    """One /dev/videoN. `formats`: FourCC of what it captures, () for no pictures; `trouble`: why it was not asked."""

    path: pathlib.Path
    card: str = ""
    driver: str = ""
    formats: tuple[str, ...] = ()
    trouble: str = ""

    def __str__(self) -> str:
        what = ", ".join(self.formats) or self.trouble or "gives no pictures"
        return f"{self.path} ({self.card}: {what})" if self.card else f"{self.path} ({what})"


def find_camera(device: str, dev: pathlib.Path = DEV, sys: pathlib.Path = SYS) -> pathlib.Path:
    """The node of `device`: "auto", a path, or a name in /dev/v4l/by-id. Raises HardwareMissing: says what is there."""
    path = named_path(device, dev)
    if path is None:
        return chosen(video_devices(dev), firmware_hint(sys)).path
    if not path.exists():
        there = [str(each) for each in video_devices(dev)] + sorted(
            f"`{link.name}`" for link in dev.glob("v4l/by-id/*")
        )
        raise HardwareMissing(
            _joined(f"there is no camera at {path}; found here: {', '.join(there) or 'none'}.", firmware_hint(sys))
        )
    return path


def video_grants(dev: pathlib.Path = DEV) -> list[FileGrant]:
    """All video devices that are there now: for a driver that does not say which of them it opens."""
    nodes = sorted(path for name in ("video*", "media*", "v4l-subdev*") for path in dev.glob(name))
    return [FileGrant(path, "device") for path in nodes]


def named_path(device: str, dev: pathlib.Path = DEV) -> pathlib.Path | None:
    """The path that `device` names, whether it exists or not; None for "auto"."""
    if device == AUTO:
        return None
    return pathlib.Path(device) if device.startswith("/") else dev / "v4l" / "by-id" / device


def chosen(devices: list[VideoDevice], hint: str = "") -> VideoDevice:
    """The first camera that gives MJPEG, else the first webcam. Raises HardwareMissing."""
    for device in devices:
        if MJPEG in device.formats:
            return device
    for device in devices:
        if device.formats and device.driver in _CAMERA_DRIVERS:
            return device
    there = ", ".join(map(str, devices)) or "no /dev/video* at all"
    raise HardwareMissing(_joined(f"no camera is found; seen: {there}.", hint or "Is it plugged in?"))


def video_devices(dev: pathlib.Path = DEV, ioctl: Ioctl = fcntl.ioctl) -> list[VideoDevice]:
    """All /dev/videoN, by number."""
    nodes = [path for path in dev.glob("video*") if path.name.removeprefix("video").isdecimal()]
    return [read_device(path, ioctl) for path in sorted(nodes, key=lambda path: int(path.name.removeprefix("video")))]


def read_device(path: pathlib.Path, ioctl: Ioctl = fcntl.ioctl) -> VideoDevice:
    """Ask one node what it is; opening it does not disturb a program that uses it."""
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        denied = error.errno == errno.EACCES
        return VideoDevice(path, trouble="not allowed: add this user to the group video" if denied else _why(error))
    try:
        answer = bytearray(_CAPABILITY.size)
        ioctl(descriptor, _QUERYCAP, answer)
        driver, card, _, _, capabilities, device_caps = _CAPABILITY.unpack(answer)
        own = device_caps if capabilities & _HAS_DEVICE_CAPS else capabilities
        formats = _formats(descriptor, ioctl) if own & _VIDEO_CAPTURE else ()
        return VideoDevice(path, _text(card), _text(driver), formats)
    except OSError as error:
        return VideoDevice(path, trouble=_why(error))
    finally:
        os.close(descriptor)


def firmware_hint(sys: pathlib.Path = SYS) -> str:
    """What to do for a GC6500 without firmware, as a sentence; "" if none is plugged in."""
    for vendor in sorted(sys.glob("bus/usb/devices/*/idVendor")):
        try:
            found = (vendor.read_text().strip().lower(), (vendor.parent / "idProduct").read_text().strip().lower())
        except OSError:
            continue  # it was unplugged while we looked
        if found == GC6500_BOOT_LOADER:
            return NO_FIRMWARE
    return ""


def _formats(descriptor: int, ioctl: Ioctl) -> tuple[str, ...]:
    formats = []
    for index in range(_MAX_FORMATS):
        answer = bytearray(_FORMAT.pack(index, _TYPE_VIDEO_CAPTURE, 0, b"", 0))
        try:
            ioctl(descriptor, _ENUM_FMT, answer)
        except OSError as error:
            if error.errno != errno.EINVAL:  # EINVAL: there are no more
                raise
            break
        code: int = _FORMAT.unpack(answer)[4]
        formats.append(_text((code & 0x7FFFFFFF).to_bytes(4, "little")))  # the highest bit: big endian
    return tuple(formats)


def _text(raw: bytes) -> str:
    text = raw.split(b"\0", 1)[0].decode("ascii", "replace").strip()
    return "".join(letter if letter.isprintable() else "?" for letter in text)


def _why(error: OSError) -> str:
    return error.strerror or str(error)


def _joined(*sentences: str) -> str:
    return " ".join(sentence for sentence in sentences if sentence)
