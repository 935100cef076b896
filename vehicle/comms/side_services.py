"""The recorder and the console in the comms process, each on threads of its own."""

import socket
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from shared.clock import Clock
from shared.protocol.messages import DriveOrder, Lease
from vehicle.config import VehicleConfig
from vehicle.process.channel import IpcMessage

if TYPE_CHECKING:
    from vehicle.recordings.frame_feed import FramePump, RecordedFrame
    from vehicle.recordings.recorder import RecorderThread
    from vehicle.web.server import ConsoleServer


class CommsAccess(Protocol):
    """The part of Comms that recorder and console use."""

    listeners: list[Callable[[IpcMessage], None]]
    admits: Callable[[Lease | DriveOrder], bool]

    def send_to_guard(self, message: IpcMessage) -> bool:
        """Send a message to the guard, from any thread; False if it was dropped."""


class SideServices:
    """Starts and ends recorder and console. Raises ConfigError or StorageError before anything runs."""

    _recorder: "RecorderThread | None"
    _console: "ConsoleServer | None"
    _pump: "FramePump | None"

    def __init__(self, config: VehicleConfig, clock: Clock, comms: CommsAccess, frame_fd: int | None) -> None:
        # Each part loads its libraries only in a car that has it: a web server is half of the start of this process.
        self._recorder = None
        self._console = None
        viewers: list[Callable[[RecordedFrame], None]] = []
        if config.recorder.enabled:
            from vehicle.recordings.recorder import Recorder, RecorderThread, utc_now  # noqa: PLC0415

            box = Recorder(config.recorder, config.device, clock.boot_id, config.model, utc_now)
            self._recorder = RecorderThread(box, clock)
            comms.listeners.append(self._recorder.on_message)
            viewers.append(self._recorder.on_frame)
        if config.console.enabled:
            from vehicle.comms.console import build_console  # noqa: PLC0415

            phone, self._console = build_console(config, clock, comms.send_to_guard)
            comms.listeners.append(phone.on_guard_message)
            comms.admits = lambda message: phone.admits(message, time.monotonic())
            viewers.append(phone.on_picture)
        self._pump = None
        if viewers and frame_fd is not None:
            from vehicle.recordings.frame_feed import FramePump  # noqa: PLC0415

            self._pump = FramePump(socket.socket(fileno=frame_fd), tuple(viewers))

    def start(self) -> None:
        """Start all threads."""
        for part in (self._recorder, self._pump, self._console):
            if part is not None:
                part.start()

    def close(self) -> None:
        """End all threads; the recorder last, so that its file gets everything and an index."""
        for part in (self._console, self._pump, self._recorder):
            if part is not None:
                part.close()
