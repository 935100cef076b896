"""What libcamera opens on a Raspberry Pi, for Landlock: devices of the sensor and the image processor, sysfs, settings.

Source: libcamera `src/libcamera/device_enumerator_udev.cpp` (sysfs and /run/udev), `media_device.cpp`,
`v4l2_device.cpp`, `dma_buf_allocator.cpp` (/dev/dma_heap, /dev/udmabuf), `ipa_manager.cpp` (modules in /usr/lib,
settings in /usr/share/libcamera). Called by picamera.py and rpicam.py.
"""

import pathlib

from shared.errors import HardwareMissing
from vehicle.hardware.cameras.sensor_modes import why_no_camera
from vehicle.hardware.cameras.video_devices import DEV, video_grants
from vehicle.process.landlock import FileGrant

_MEMORY = ("dma_heap", "udmabuf")
_READ = ("/sys", "/run/udev", "/etc/libcamera")
_PROGRAMS = ("/usr", "/lib", "/lib64", "/bin")


def libcamera_grants(number: int, dev: pathlib.Path = DEV) -> list[FileGrant]:
    """For the Pi's camera `number`. Raises HardwareMissing while the kernel has none: its devices come later."""
    if not any(dev.glob("media*")):
        raise HardwareMissing(why_no_camera(number, f"the kernel has no {dev}/media*"))
    return [
        *video_grants(dev),
        *(FileGrant(dev / name, "device") for name in _MEMORY),
        *(FileGrant(pathlib.Path(path)) for path in _READ),
        *(FileGrant(pathlib.Path(path), "run") for path in _PROGRAMS),
    ]
