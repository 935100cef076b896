"""One child process of the guard: its channel, its exit, and the growing pause before it is restarted."""

import contextlib
import os
import signal
import subprocess
import time

from vehicle.process.channel import Channel, socket_pair
from vehicle.process.child_main import SINGLE_THREADED, without_secrets

FIRST_RETRY_S = 0.5
MAX_RETRY_S = 10.0
END_PATIENCE_S = 2.0  # so long after it was told to end, or its channel was closed, a child is killed
STEADY_S = 30.0  # after this long alive, the pause starts again at its shortest


class Child:
    """One child process; `channel` is the guard's end, new at each start and None while it does not run."""

    def __init__(
        self, name: str, argv: tuple[str, ...], *, lap_fd: int, frame_fd: int | None = None, nice: int = 0
    ) -> None:
        self.name = name
        self._argv = argv
        self._fds = {"--lap-fd": lap_fd} | ({} if frame_fd is None else {"--frame-fd": frame_fd})
        self._process: subprocess.Popen[bytes] | None = None
        self._started_s = 0.0
        self._retry_s = FIRST_RETRY_S
        self._restart_at_s: float | None = None
        self._kill_at_s: float | None = None
        self._nice = min(nice, os.getpriority(os.PRIO_PROCESS, 0))  # not above the nice value of the service
        self.channel: Channel | None = None

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    def start(self) -> None:
        """Start the process with a new channel. Raises OSError if none can be started now; it is due again later."""
        ours, theirs = socket_pair()
        fds = {"--guard-fd": theirs.fileno()} | self._fds
        arguments = [word for name, fd in fds.items() for word in (name, str(fd))]
        try:
            self._process = subprocess.Popen(
                [*self._argv, *arguments, "--parent", str(os.getpid())],
                stdin=subprocess.DEVNULL,
                pass_fds=tuple(fds.values()),
                env=without_secrets(os.environ) | SINGLE_THREADED,
            )
        except OSError:
            ours.close()
            self._restart_later()
            raise
        finally:
            theirs.close()
        if self._nice < 0:  # the kernel starts the children of a real-time parent at 0
            with contextlib.suppress(OSError):  # without permission it runs later, which the frame ages show
                os.setpriority(os.PRIO_PROCESS, self._process.pid, self._nice)
        self.channel = Channel(ours)
        self._started_s = time.monotonic()
        self._restart_at_s = self._kill_at_s = None

    def poll_exit(self) -> int | None:
        """The exit code, once after the process has ended, else None. It then schedules the restart."""
        if self._process is None:
            return None
        now_s = time.monotonic()
        if (code := self._process.poll()) is None:
            if self._kill_at_s is not None and now_s >= self._kill_at_s:
                self._process.kill()  # it runs a stranger's model, which may have taught it not to listen
            return None
        if now_s - self._started_s > STEADY_S:
            self._retry_s = FIRST_RETRY_S
        self._restart_later()
        self._process = None
        return code

    def _restart_later(self) -> None:
        self._restart_at_s = time.monotonic() + self._retry_s
        self._retry_s = min(self._retry_s * 2, MAX_RETRY_S)

    def restart_due(self) -> bool:
        """Whether it has ended and its pause is over."""
        return self._restart_at_s is not None and time.monotonic() >= self._restart_at_s

    def terminate(self) -> None:
        """Send SIGTERM without waiting."""
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()
            self._end_soon()

    def wait_or_kill(self, patience_s: float) -> None:
        """Wait up to `patience_s` for its end, then send SIGKILL."""
        if self._process is not None:
            try:
                self._process.wait(max(0.0, patience_s))
            except subprocess.TimeoutExpired:
                with contextlib.suppress(ProcessLookupError):
                    self._process.kill()
                self._process.wait()
            self._process = None
        self.close_channel()

    def close_channel(self) -> None:
        """Close the guard's end of the channel; a child that still runs then ends itself."""
        if self.channel is not None:
            self.channel.close()
            self.channel = None
            self._end_soon()

    def _end_soon(self) -> None:
        if self._kill_at_s is None:
            self._kill_at_s = time.monotonic() + END_PATIENCE_S


def describe_exit(code: int) -> str:
    """How a process ended, in words; a negative `code` is the signal that ended it."""
    if code < 0:
        return f"was ended by {signal.Signals(-code).name}"
    return f"ended with exit code {code}"
