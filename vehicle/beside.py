"""What runs beside the wire in the comms process, on threads of its own: the black box. None of it touches control."""

import socket
from collections.abc import Callable

from shared.clock import Clock
from vehicle.config import VehicleConfig
from vehicle.ipc import Word
from vehicle.recorder.box import Recorder, RecorderThread, utc_now
from vehicle.recorder.feed import FramePump, Picture


class Beside:
    """Starts and ends it together; `listeners` gets those who want to hear what the guard says."""

    def __init__(
        self, config: VehicleConfig, clock: Clock, listeners: list[Callable[[Word], None]], frame_fd: int | None
    ) -> None:
        self._recorder: RecorderThread | None = None
        viewers: list[Callable[[Picture], None]] = []
        if config.recorder.enabled:
            box = Recorder(config.recorder, config.device, clock.boot_id, str(config.model.path), utc_now)
            self._recorder = RecorderThread(box, clock)
            listeners.append(self._recorder.hear)
            viewers.append(self._recorder.see)
        self._pump: FramePump | None = None
        if viewers and frame_fd is not None:
            self._pump = FramePump(socket.socket(fileno=frame_fd), tuple(viewers))

    def start(self) -> None:
        """All threads."""
        if self._recorder is not None:
            self._recorder.start()
        if self._pump is not None:
            self._pump.start()

    def close(self) -> None:
        """The recording ends with its index."""
        if self._pump is not None:
            self._pump.close()
        if self._recorder is not None:
            self._recorder.close()
