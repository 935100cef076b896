"""What the pilot may open and call once it runs a stranger's model: its model, its camera, its channels.

The order counts. Landlock holds for threads that are started later, so it comes before the camera's driver, which
starts some; the filter holds for all threads at once, and comes after the driver, which may start a program. Called by
pilot.py.
"""

import os
import pathlib
import resource
import select
from collections.abc import Callable, Iterable

from shared.clock import Clock
from shared.errors import HardwareMissing
from vehicle.config import VehicleConfig
from vehicle.core.messages import CameraAbsent
from vehicle.drivers import build_camera, camera_grants, camera_sockets
from vehicle.hardware.cameras.video_devices import DEV
from vehicle.hardware.interfaces import Camera
from vehicle.models.memory_limit import machine_memory, max_memory
from vehicle.models.model_files import MODEL
from vehicle.models.model_grants import model_grants
from vehicle.process.channel import Channel
from vehicle.process.landlock import FileGrant, restrict_files
from vehicle.process.log import log
from vehicle.process.program_files import program_grants
from vehicle.process.seccomp import install_filter, left_open_without_filter

CAMERA_RETRY_S = 2.0
# What the pilot maps beside what it touches: stacks of threads, buffers that libraries reserve, the camera's frames.
RESERVED_BYTES = 128 << 20
SHARED_BYTES = 1 << 30  # libraries and files; shared memory counts here too
Restrict = Callable[[VehicleConfig, list[FileGrant]], None]


def restrict_pilot(config: VehicleConfig, camera: list[FileGrant]) -> None:
    """Restrict this process's memory, and this thread and those it starts to the model's and the camera's files.

    What stays open is logged.
    """
    limit_pilot_memory(config.model.path)
    grants = [*program_grants(), *model_grants(config.model.path), *camera]
    open_points = restrict_files(
        grants,
        is_filtered=not left_open_without_filter(os.uname().machine),
        has_network=camera_sockets(config) == "any",
    )
    for sentence in open_points:
        log(f"pilot: {sentence}")


def limit_pilot_memory(path: pathlib.Path) -> None:
    """Limit this process to what the model at `path` may take, and what the pilot needs besides."""
    model = path / MODEL if path.is_dir() else path
    weights_bytes = model.stat().st_size if model.is_file() else 0
    limit = max_memory(weights_bytes, machine_memory()) + RESERVED_BYTES
    for which, wanted in ((resource.RLIMIT_DATA, limit), (resource.RLIMIT_AS, limit + SHARED_BYTES)):
        hard = resource.getrlimit(which)[1]
        allowed = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(which, (allowed, allowed))


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
