"""A TCP proxy whose way can be broken as networks break: held up, cut, reset, half open, slow, late, torn.

One thread for each direction of each connection. A way that is held up loses nothing: TCP delivers what was sent once
it is whole again. After `half open` one side does not know that the other is gone: only its own patience helps.
Called by partitions.py. After the kinds of faults ("toxics") of github.com/Shopify/toxiproxy.
"""

import contextlib
import select
import socket
import struct
import threading
from typing import Literal

TcpFault = Literal["", "held", "held one way", "cut", "reset", "half open", "slow", "late", "torn"]
TCP_FAULTS: tuple[TcpFault, ...] = ("held", "held one way", "cut", "reset", "half open", "slow", "late", "torn")
SLOW_BYTES, SLOW_S = 64, 0.05
LATE_S = 0.7
_POLL_S = 0.1
_RESET = struct.pack("ii", 1, 0)


class BrokenWay:
    """The proxy, listening on `port` of loopback; `fault` is "" while the way is whole."""

    def __init__(self, target: int) -> None:
        self._target = target
        self._listening = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port: int = self._listening.getsockname()[1]
        self._fault: TcpFault = ""
        self._closed = threading.Event()
        self._changed = threading.Condition()
        self._connections: set[ProxiedConnection] = set()
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def fault(self) -> TcpFault:
        return self._fault

    def break_by(self, fault: TcpFault) -> None:
        """From now on the way is broken so, for the connections that are there and for new ones."""
        with self._changed:
            self._fault = fault
            connections = list(self._connections)
            self._changed.notify_all()
        for connection in connections:
            if fault in ("cut", "reset"):
                connection.end(reset=fault == "reset")
            elif fault == "half open":
                connection.forget()

    def heal(self) -> None:
        self.break_by("")

    def close(self) -> None:
        self._closed.set()
        self.heal()
        self._listening.close()
        for connection in list(self._connections):
            connection.end(reset=True)

    def await_change(self, timeout_s: float) -> None:
        """Until the fault may be another one."""
        with self._changed:
            self._changed.wait(timeout_s)

    def drop(self, connection: "ProxiedConnection") -> None:
        with self._changed:
            self._connections.discard(connection)

    def _accept(self) -> None:
        with contextlib.suppress(OSError):  # closed
            while not self._closed.is_set():
                near, _ = self._listening.accept()
                if self._fault in ("cut", "reset"):
                    near.close()
                    continue
                try:
                    far = socket.create_connection(("127.0.0.1", self._target), 2)
                except OSError:  # the broker is dead
                    near.close()
                    continue
                connection = ProxiedConnection(self, near, far)
                with self._changed:
                    self._connections.add(connection)
                connection.start()


class ProxiedConnection:
    """One connection: `near` is the caller's side, `far` the broker's."""

    def __init__(self, way: BrokenWay, near: socket.socket, far: socket.socket) -> None:
        self._way, self._near, self._far = way, near, far
        self._ended = threading.Event()
        self._forgotten = way.fault == "half open"

    def start(self) -> None:
        for source, sink, inwards in ((self._near, self._far, False), (self._far, self._near, True)):
            threading.Thread(target=self._pump, args=(source, sink, inwards), daemon=True).start()

    def forget(self) -> None:
        """The far side goes, and the near side is not told: what it sends from now on goes nowhere."""
        self._forgotten = True
        with contextlib.suppress(OSError):
            self._far.shutdown(socket.SHUT_RDWR)

    def end(self, *, reset: bool) -> None:
        self._ended.set()
        for each in (self._near, self._far):
            with contextlib.suppress(OSError):
                if reset:
                    each.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
                each.shutdown(socket.SHUT_RDWR)

    def _pump(self, source: socket.socket, sink: socket.socket, inwards: bool) -> None:
        with contextlib.suppress(OSError):
            while not self._ended.is_set():
                if self._is_held(inwards):
                    self._way.await_change(_POLL_S)
                    continue
                if not select.select([source], [], [], _POLL_S)[0] or self._is_held(inwards):
                    continue
                data = source.recv(65_536)
                if not data:
                    break
                if not self._forgotten:
                    self._pass_on(sink, data)
        if not (self._forgotten and inwards):
            self.end(reset=False)
            for each in (self._near, self._far):
                each.close()
            self._way.drop(self)

    def _is_held(self, inwards: bool) -> bool:
        return self._way.fault == "held" or (self._way.fault == "held one way" and inwards)

    def _pass_on(self, sink: socket.socket, data: bytes) -> None:
        match self._way.fault:
            case "late":
                self._way.await_change(LATE_S)
                sink.sendall(data)
            case "slow":
                while data:
                    sink.sendall(data[:SLOW_BYTES])
                    data = data[SLOW_BYTES:]
                    if self._way.fault == "slow":
                        self._way.await_change(SLOW_S)
            case "torn":
                sink.sendall(data[: len(data) // 2])
                self.end(reset=True)
            case _:
                sink.sendall(data)
