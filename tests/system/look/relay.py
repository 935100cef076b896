"""A relay between a browser and a machine: it can be held (open, but nothing passes) or cut."""

import contextlib
import selectors
import socket
import threading


class Relay:
    """Forwards what arrives at `port` to `target` and back, until it is held, cut or closed."""

    def __init__(self, target: int) -> None:
        self._target = target
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listening.getsockname()[1])
        self._through = threading.Event()
        self._through.set()
        self._open: set[socket.socket] = set()
        self._ended = False
        threading.Thread(target=self._accept, daemon=True).start()

    def hold(self) -> None:
        """Connections stay open, but nothing passes."""
        self._through.clear()

    def cut(self) -> None:
        """Closes all connections, and closes new ones at once."""
        self._through.clear()
        for end in list(self._open):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def mend(self) -> None:
        self._through.set()

    def close(self) -> None:
        self._ended = True
        self.mend()
        self.cut()
        self._through.set()
        self._listening.close()

    def _accept(self) -> None:
        while not self._ended:
            try:
                near, _ = self._listening.accept()
            except OSError:
                return
            threading.Thread(target=self._forward, args=(near,), daemon=True).start()

    def _forward(self, near: socket.socket) -> None:
        with near, socket.create_connection(("127.0.0.1", self._target)) as far:
            other = {near: far, far: near}
            self._open |= {near, far}
            with selectors.DefaultSelector() as selector, contextlib.suppress(OSError):
                for end in other:
                    selector.register(end, selectors.EVENT_READ)
                while not self._ended:
                    for key, _ in selector.select(1.0):
                        source = key.fileobj
                        assert isinstance(source, socket.socket)
                        data = source.recv(65536)
                        self._through.wait()
                        if not data:
                            return
                        other[source].sendall(data)
            self._open -= {near, far}
