"""The board itself: runs the shipped firmware, unchanged, on Python with a stand-in for MicroPython's `machine`.

    python3 pico_board.py FOLDER_OF_THE_FIRMWARE TTY CONTROL

The USB port is the gadget's TTY. Lines "PIN LEVEL" written to the fifo CONTROL set the levels of pins; the pin's
interrupt handler runs at once, as on the board. Started by simulated_pico.py.
"""

import os
import pathlib
import runpy
import select
import sys
import threading
import time
import tty
import types
from collections.abc import Callable

WAIT = select.poll
in_loop = threading.Event()  # the firmware has its pins and has entered its loop
POLL_MS = 2  # the firmware's loop asks without waiting: on this machine it would keep a whole processor busy


class Pin:
    """`machine.Pin`: an input whose handler is called at each change."""

    IN, PULL_UP, IRQ_RISING, IRQ_FALLING = 0, 1, 4, 8
    pins: dict[int, "Pin"] = {}  # noqa: RUF012 - as on the board, all of them

    def __init__(self, number: int, mode: int, pull: int) -> None:
        assert (mode, pull) == (self.IN, self.PULL_UP), "only inputs with a pull-up are known here"
        self._level, self._changed = 1, None  # pulled up
        self._handler: Callable[[Pin], None] | None = None
        self.pins[number] = self

    def value(self) -> int:
        return self._level

    def irq(self, handler: Callable[["Pin"], None], trigger: int, hard: bool) -> None:
        assert trigger == self.IRQ_RISING | self.IRQ_FALLING, "the firmware watches both edges"
        assert hard, "a soft interrupt would stamp late"
        self._handler = handler

    def set(self, level: int) -> None:
        """The level outside changes."""
        if level != self._level:
            self._level = level
            if self._handler is not None:
                self._handler(self)


class SlowPoller:
    """`select.poll`, which waits a little where the firmware does not wait at all."""

    def __init__(self) -> None:
        self._poller = WAIT()

    def register(self, port: object, events: int) -> None:
        self._poller.register(port.fileno(), events)  # type: ignore[attr-defined]

    def poll(self, _timeout_ms: int) -> list[tuple[int, int]]:
        in_loop.set()
        return self._poller.poll(POLL_MS)


def _obey(control: pathlib.Path) -> None:
    """Sets pins as the lines of the fifo say, for ever."""
    in_loop.wait()
    while True:
        with control.open() as lines:
            for line in lines:
                number, level = map(int, line.split())
                Pin.pins[number].set(level)


def main() -> None:
    folder, port, control = sys.argv[1:]
    if not pathlib.Path(control).exists():
        os.mkfifo(control)
    descriptor = os.open(port, os.O_RDWR | os.O_NOCTTY)
    tty.setraw(descriptor)
    raw = os.fdopen(descriptor, "r+b", buffering=0)
    stream = types.SimpleNamespace(buffer=raw, fileno=raw.fileno)
    sys.stdin = sys.stdout = stream
    time.ticks_us = lambda: time.monotonic_ns() // 1000 & 0x3FFFFFFF  # type: ignore[attr-defined]
    select.poll = SlowPoller  # type: ignore[misc, assignment]
    machine = types.ModuleType("machine")
    machine.Pin = Pin  # type: ignore[attr-defined]
    machine.reset = lambda: os._exit(3)  # type: ignore[attr-defined]
    sys.modules["machine"] = machine
    sys.path.insert(0, folder)
    threading.Thread(target=_obey, args=(pathlib.Path(control),), daemon=True).start()
    runpy.run_path(f"{folder}/main.py", run_name="__main__")


if __name__ == "__main__":
    main()
