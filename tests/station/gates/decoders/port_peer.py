"""Plays a decoder on a real connection (TCP or pseudo terminal), and collects the gate's edges."""

import os
import queue
import socket
import threading
import tty
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from shared.clock import Clock, SystemClock
from station.core.inputs import Edge, GateNote
from station.gates.decoders.gate import DecoderGate
from station.gates.driver import GateOutput

WAIT_S = 60.0  # a busy machine takes a long time to start a process


class Box:
    """Collects what a gate delivers: edges, for which a test can wait, and `notes`."""

    def __init__(self) -> None:
        self._edges: queue.SimpleQueue[Edge] = queue.SimpleQueue()
        self.notes: queue.SimpleQueue[GateNote] = queue.SimpleQueue()

    def put(self, output: GateOutput) -> None:
        if isinstance(output, Edge):
            self._edges.put(output)
        else:
            self.notes.put(output)

    def take(self, count: int) -> list[Edge]:
        return [self._edges.get(timeout=WAIT_S) for _ in range(count)]

    @property
    def empty(self) -> bool:
        return self._edges.empty()


@contextmanager
def gate(clock: Clock | None = None, sensors: tuple[str, ...] = ("loop",), **options: Any) -> Iterator[DecoderGate]:
    """A decoder gate that is closed at the end, whatever happens."""
    driver = DecoderGate("start", sensors, options, clock or SystemClock())
    try:
        yield driver
    finally:
        driver.close()


@contextmanager
def tcp() -> Iterator[socket.socket]:
    """A decoder's listening socket on a free port."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(WAIT_S)
        yield listening


def until(condition: Callable[[], bool]) -> None:
    """Waits until the condition is true; fails after a while."""
    pause = threading.Event()
    for _ in range(6_000):
        if condition():
            return
        pause.wait(0.01)
    raise AssertionError("it did not come to be")


def url(listening: socket.socket) -> str:
    return f"socket://127.0.0.1:{listening.getsockname()[1]}"


@contextmanager
def pty() -> Iterator[tuple[Callable[[bytes], None], Callable[[int], bytes], str]]:
    """A function to write, one to read, and the path of the other end."""
    ours, theirs = os.openpty()
    tty.setraw(theirs)
    try:
        yield lambda data: _all(ours, data), lambda size: os.read(ours, size), os.ttyname(theirs)
    finally:
        os.close(ours)
        os.close(theirs)


def _all(descriptor: int, data: bytes) -> None:
    while data:
        data = data[os.write(descriptor, data) :]
