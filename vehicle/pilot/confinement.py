"""What the pilot may open and call once it runs a stranger's model: its model, its camera, its channels.

The order counts. Landlock holds for threads that are started later, so it comes before the camera's driver, which
starts some; the filter holds for all threads at once, and comes after the driver, which may start a program. Called by
pilot.py.
"""

import os
import pathlib
import select
from collections.abc import Callable, Iterable

from shared.clock import Clock
from shared.errors import HardwareMissing
from vehicle.config import VehicleConfig
from vehicle.core.messages import CameraAbsent
from vehicle.drivers import build_camera, camera_grants, camera_sockets
from vehicle.hardware.cameras.video_devices import DEV
from vehicle.hardware.interfaces import Camera
from vehicle.models.int8.verdict import FRAMES, INT8, NOTE
from vehicle.models.model_files import METADATA
from vehicle.process.channel import Channel
from vehicle.process.landlock import FileGrant, restrict_files
from vehicle.process.log import log
from vehicle.process.program_files import program_grants
from vehicle.process.seccomp import install_filter, left_open_without_filter

CAMERA_RETRY_S = 2.0
Restrict = Callable[[VehicleConfig, list[FileGrant]], None]


def model_grants(path: pathlib.Path) -> list[FileGrant]:
    """The files of the model at `path` and of no other: its folder, or those beside an .onnx file that belong to it."""
    if path.is_dir():
        return [FileGrant(path.resolve())]
    beside = (path.with_name(name) for name in (METADATA, INT8, NOTE, FRAMES))
    return [FileGrant(file) for file in (path, *beside)]


def restrict_pilot(config: VehicleConfig, camera: list[FileGrant]) -> None:
    """Restrict this thread, and those it starts, to the model's and the camera's files; log what stays open."""
    grants = [*program_grants(), *model_grants(config.model.path), *camera]
    open_points = restrict_files(
        grants,
        is_filtered=not left_open_without_filter(os.uname().machine),
        has_network=camera_sockets(config) == "any",
    )
    for sentence in open_points:
        log(f"pilot: {sentence}")


def filter_calls(config: VehicleConfig, camera: Camera) -> None:
    """Take the system calls that neither driver nor policy needs from now on; log what stays open."""
    for sentence in install_filter(camera_sockets(config), getattr(camera, "processes", ())):
        log(f"pilot: {sentence}")


def open_camera(
    config: VehicleConfig, clock: Clock, guard: Channel, restrict: Restrict = restrict_pilot
) -> Camera | None:
    """Open the camera, retrying while it is absent, under restrictions as soon as it is there.

    None if the guard is gone meanwhile, or if the camera's devices are others by now: only a new process may open them.
    Raises ConfigError.
    """
    logged, devices = "", None
    while not guard.closed:
        try:
            if devices is None:
                grants = camera_grants(config)
                devices = _identities(grants)
                restrict(config, grants)
            elif devices != _identities(grants):
                log("the camera's devices are others now: the pilot is started again, which may open them.")
                return None
            return build_camera(config, clock)
        except HardwareMissing as error:
            guard.send(CameraAbsent(str(error)))
            if str(error) != logged:
                logged = str(error)
                log(f"{logged} It is tried again every {CAMERA_RETRY_S:g} s; until then the car cannot be armed.")
        select.select([guard], [], [], CAMERA_RETRY_S)
        guard.receive()
    return None


def _identities(grants: Iterable[FileGrant]) -> frozenset[tuple[str, int, int]]:
    """What is there of the grants, and the video devices of now; a device that was plugged in anew has a new number."""
    found = set()
    for path in (*(grant.path for grant in grants if grant.use == "device"), *DEV.glob("video*"), *DEV.glob("media*")):
        try:
            status = path.stat()
        except OSError:
            continue  # it is gone, which makes a difference too
        found.add((str(path), status.st_ino, status.st_rdev))
    return frozenset(found)
