"""Opens a device that is absent: tries again on a thread of its own, and attaches the device once it is there.

The guard has one for its motors and one for its emergency button. Opening may block for seconds, which the guard's loop
must not: in each pass it only polls for a device that was opened. Until then the car cannot be armed.
"""

import queue
import threading
import time
from collections.abc import Callable
from typing import Generic, Protocol, TypeVar

from shared.errors import OperatorError
from vehicle.core.controller import DeviceName
from vehicle.process.log import log

RETRY_S = 2.0
_JOIN_TIMEOUT_S = 1.0


class Closable(Protocol):
    """A device that can be closed."""

    def close(self) -> None:
        """Close the device."""


D = TypeVar("D", bound=Closable)


class DeviceOpener(Generic[D]):
    """Opens one device again every `retry_s` seconds while it is absent.

    `open_device` returns the device or raises OperatorError, whose sentence becomes `why`. `attach` takes the
    opened device; `poll` calls it, in the guard's loop.
    """

    def __init__(
        self,
        name: DeviceName,
        open_device: Callable[[], D],
        attach: Callable[[D], None],
        why: str,
        retry_s: float = RETRY_S,
    ) -> None:
        self.name = name
        self._open_device, self._attach, self._retry_s = open_device, attach, retry_s
        self._why = why
        self._logged = ""
        self._attached_s = float("-inf")
        self._opened: queue.SimpleQueue[D | Exception] = queue.SimpleQueue()
        self._closing = threading.Event()
        self._thread: threading.Thread | None = None

    @property
    def why(self) -> str:
        """Why it is absent, as a sentence; '' while it is there."""
        return self._why

    def start(self) -> None:
        """Start trying to open it, if it is absent."""
        if self._why:
            self._start_thread()

    def on_lost(self, why: str) -> None:
        """The device was lost: try to open it again from now on."""
        self._why = why
        self._start_thread()

    def poll(self) -> bool:
        """Attach a device that was opened since the last call; True if there was one.

        Raises any exception of `open_device` but OperatorError.
        """
        if self._why != self._logged and self._why:
            self._logged = self._why
            log(f"{self._why} It is tried again every {self._retry_s:g} s; until then the car cannot be armed.")
        if self._opened.empty():
            return False
        opened = self._opened.get()
        if isinstance(opened, Exception):
            raise opened
        self._attach(opened)
        self._why = self._logged = ""
        self._attached_s = time.monotonic()
        log(f"{self.name}: no longer absent.")
        return True

    def close(self) -> None:
        """Stop trying, and close a device that was opened but not attached. Idempotent."""
        self._closing.set()
        if self._thread is not None:
            self._thread.join(_JOIN_TIMEOUT_S)
        self._close_opened()

    def _start_thread(self) -> None:
        self._thread = threading.Thread(target=self._run, name=f"absent {self.name}", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        if time.monotonic() - self._attached_s < self._retry_s:
            # It was lost soon after it was attached: a loose contact is not retried at once.
            self._closing.wait(self._retry_s)
        while not self._closing.is_set():
            try:
                self._opened.put(self._open_device())
            except OperatorError as error:
                self._why = str(error)
            except Exception as error:  # a bug: `poll` raises it in the guard's loop
                self._opened.put(error)
                return
            else:
                if self._closing.is_set():
                    self._close_opened()
                return
            self._closing.wait(self._retry_s)

    def _close_opened(self) -> None:
        while not self._opened.empty():
            opened = self._opened.get()
            if not isinstance(opened, Exception):
                opened.close()
