"""Records each drive, from arming to its end, as an MCAP file. Runs in comms, outside the control path.

Callers never wait: messages go into a short queue, and those that do not fit are dropped and counted. If the disk
fails, the recording ends with one sentence in the log, and the next state of an armed car starts a new one, though not
within `RETRY_NS`: a full disk is no reason to log a sentence with each state. The car drives on.
"""

import functools
import pathlib
import queue
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

from shared.clock import Clock
from shared.errors import StorageError
from shared.protocol.messages import CarState
from vehicle.config import ModelChoice, RecorderOptions
from vehicle.core.messages import ControlTrace, LoopTelemetry
from vehicle.core.modes import ARMED
from vehicle.process.channel import IpcMessage
from vehicle.process.log import log
from vehicle.recordings.frame_feed import RecordedFrame
from vehicle.recordings.mcap_file import Recorded, RecordingFile, RecordingInfo

_MAX_WAITING = 256
_MB = 1 << 20
_TAIL_NS = 1_000_000_000  # the second after a stop shows its cause
RETRY_NS = 10_000_000_000  # after a disk that failed
_BEFORE = 16  # frames and mode arrive on two channels: frames that arrive before the mode wait here


class Recorder:
    """Starts, rotates and ends recordings. For use from one thread; times are arguments."""

    def __init__(
        self, options: RecorderOptions, device: str, boot: str, model: ModelChoice, utc: Callable[[], datetime]
    ) -> None:
        self._options = options
        self._device, self._boot, self._model, self._utc = device, boot, model, utc
        self._file: RecordingFile | None = None
        self._state = CarState(True, "disarmed")
        self._ends_ns: int | None = None
        self._failed_ns: int | None = None
        self._run = self._part = 0
        self._before: deque[tuple[int, RecordedFrame]] = deque(maxlen=_BEFORE)

    @property
    def path(self) -> pathlib.Path | None:
        """The file that is being written, None between drives."""
        return self._file.path if self._file is not None else None

    def record(self, at_ns: int, what: Recorded) -> None:
        """Records `what` during a drive; a CarState starts and ends drives.

        Raises StorageError if the disk fails: that file has ended, and the next state of an armed car starts another
        once `RETRY_NS` have passed.
        """
        try:
            self._record(at_ns, what)
        except StorageError:
            self._failed_ns = at_ns
            raise

    def close(self) -> None:
        """Ends the recording, if there is one. Raises StorageError."""
        file, self._file, self._ends_ns = self._file, None, None
        if file is not None:
            file.close()

    def _record(self, at_ns: int, what: Recorded) -> None:
        if isinstance(what, CarState):
            self._state = what
            if what.mode in ARMED:
                self._ends_ns = None
                if self._file is None and not self._failed_lately(at_ns):
                    self._run += 1
                    self._begin(part=1)
                    while self._before:
                        self._write(*self._before.popleft())
            elif self._file is not None and self._ends_ns is None:
                self._ends_ns = at_ns + _TAIL_NS
        if self._file is not None:
            self._write(at_ns, what)
        elif isinstance(what, RecordedFrame):
            self._before.append((at_ns, what))
        if self._ends_ns is not None and at_ns >= self._ends_ns:
            self.close()

    def _failed_lately(self, at_ns: int) -> bool:
        return self._failed_ns is not None and 0 <= at_ns - self._failed_ns < RETRY_NS

    def _write(self, at_ns: int, what: Recorded) -> None:
        assert self._file is not None
        try:
            if self._file.size_bytes >= self._options.file_mb * _MB:
                self._file.close()
                self._begin(self._part + 1)
            self._file.add(at_ns, what)
        except StorageError:
            self._file = None  # until the next state of an armed car
            raise

    def _begin(self, part: int) -> None:
        self._part = part
        self._file = None
        folder = self._options.folder
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StorageError(f"the folder of recordings {folder} cannot be created ({error.strerror}).") from None
        make_room(folder, (self._options.total_mb - self._options.file_mb) * _MB)
        utc, state = self._utc(), self._state
        path = folder / f"{_next_number(folder):06d}-{utc:%Y%m%dT%H%M%SZ}.mcap"
        about = RecordingInfo(
            self._device,
            self._boot,
            self._run,
            part,
            utc.isoformat(),
            state.model,
            state.model_sha256,
            str(self._model.path.absolute()),
            self._model.profile,
        )
        self._file = RecordingFile(path, about)


class RecorderThread:
    """A Recorder with a queue and a thread. `on_message` and `on_frame`, called from other threads, never wait."""

    def __init__(self, recorder: Recorder, clock: Clock) -> None:
        self._recorder = recorder
        self._clock = clock
        self._waiting: queue.Queue[tuple[int, Recorded] | None] = queue.Queue(_MAX_WAITING)
        self._thread = threading.Thread(target=self._run, name="recorder", daemon=True)
        self.dropped = self._dropped_frames = 0

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def on_message(self, message: IpcMessage) -> None:
        """Queue a message of the guard; those that are not recorded are ignored."""
        if isinstance(message, ControlTrace | CarState | LoopTelemetry):
            self._put(message.at_ns if isinstance(message, ControlTrace) else self._clock.now_ns(), message)

    def on_frame(self, picture: RecordedFrame) -> None:
        """Queue a frame from the pilot. Its count of dropped frames then includes those that found no room here."""
        counted = replace(picture, dropped=picture.dropped + self._dropped_frames)
        if not self._put(self._clock.now_ns(), counted):
            self._dropped_frames += 1

    def close(self) -> None:
        """Writes what is queued and ends the recording."""
        self._waiting.put(None)
        self._thread.join(5.0)

    def _put(self, at_ns: int, what: Recorded) -> bool:
        """Queue a message; False if it was dropped because the queue is full."""
        try:
            self._waiting.put_nowait((at_ns, what))
        except queue.Full:
            self.dropped += 1
            return False
        return True

    def _run(self) -> None:
        while (item := self._waiting.get()) is not None:
            self._try(functools.partial(self._recorder.record, *item))
        self._try(self._recorder.close)
        if self.dropped:
            log(f"the recorder dropped {self.dropped} messages: it could not keep up.")

    def _try(self, act: Callable[[], None]) -> None:
        try:
            act()
        except StorageError as error:
            log(str(error))


def utc_now() -> datetime:
    """The current UTC time, for the names of recordings."""
    return datetime.now(UTC)


def recordings(folder: pathlib.Path) -> list[pathlib.Path]:
    """All recordings, oldest first: sorted by number, since a car's clock may be wrong."""
    return sorted(path for path in folder.glob("*.mcap") if _number(path))


def make_room(folder: pathlib.Path, max_bytes: int) -> None:
    """Deletes the oldest recordings until at most `max_bytes` are left. Raises StorageError."""
    try:
        sizes = [(path, path.stat().st_size) for path in recordings(folder)]
        total = sum(size for _, size in sizes)
        for path, size in sizes:
            if total <= max_bytes:
                return
            path.unlink(missing_ok=True)
            total -= size
    except OSError as error:
        raise StorageError(f"old recordings in {folder} cannot be removed ({error.strerror}).") from None


def _next_number(folder: pathlib.Path) -> int:
    return max((_number(path) for path in recordings(folder)), default=0) + 1


def _number(path: pathlib.Path) -> int:
    head = path.name.partition("-")[0]
    return int(head) if head.isascii() and head.isdigit() else 0
