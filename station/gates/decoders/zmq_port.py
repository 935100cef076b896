"""The port of a ZeroMQ publisher: `zmq://192.168.1.60:5556`; each of its messages is read as one line.

ZeroMQ connects behind one's back, again and again, and says nothing of it: a gate would be fit with nobody at the other
end. So opening fails where nothing answers, a lost connection is an error, and gate.py opens anew, as with any port.
Called by port.py.

Source: ZeroMQ's manual of zmq_socket_monitor (libzmq 4.3); OpenStint's decoders publish so.
"""

import socket
from typing import Final

import zmq
from zmq.utils.monitor import recv_monitor_message

SCHEME: Final = "zmq://"
OPEN_S: Final = 3.0
MAX_MESSAGE_BYTES: Final = 4096  # libzmq hangs up on a peer that sends more in one message
MAX_WAITING: Final = 10_000  # messages that wait to be read; what comes beyond them is dropped
UP: Final = int(zmq.EVENT_HANDSHAKE_SUCCEEDED)
DOWN: Final = int(zmq.EVENT_DISCONNECTED | zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL | zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL)


class ZmqPort:
    """A subscription to everything that one publisher sends. It has those methods of ports that gate.py needs."""

    def __init__(self, host: str, port: int, timeout: float) -> None:
        """Connects; raises OSError if nothing answers there, or no publisher. A read waits for at most `timeout` s."""
        socket.create_connection((host, port), OPEN_S).close()  # its errors say why nothing answers; ZeroMQ's do not
        self._timeout_ms = round(timeout * 1000)
        self._buffer = bytearray()
        self._context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        self._context.setsockopt(zmq.LINGER, 0)
        self._subscriber = self._context.socket(zmq.SUB)
        self._subscriber.setsockopt(zmq.RCVHWM, MAX_WAITING)
        self._subscriber.setsockopt(zmq.MAXMSGSIZE, MAX_MESSAGE_BYTES)
        self._subscriber.setsockopt(zmq.RECONNECT_IVL, -1)
        self._subscriber.setsockopt(zmq.IPV6, 1)
        self._subscriber.setsockopt(zmq.SUBSCRIBE, b"")
        self._monitor = self._subscriber.get_monitor_socket(UP | DOWN)
        self.is_open = True
        try:
            self._subscriber.connect(f"tcp://[{host}]:{port}" if ":" in host else f"tcp://{host}:{port}")
            self._await_publisher()
        except zmq.ZMQError as error:
            self.close()
            raise OSError(str(error)) from None
        except OSError:
            self.close()
            raise

    @property
    def in_waiting(self) -> int:
        return len(self._buffer)

    def read(self, size: int = 1) -> bytes:
        """Up to `size` bytes that are already there, or arrive within the timeout; b"" if none do."""
        if size and not self._buffer:
            self._receive()
        data = bytes(self._buffer[:size])
        del self._buffer[:size]
        return data

    def write(self, data: bytes) -> int:
        raise OSError(f"a ZeroMQ publisher takes no requests ({len(data)} bytes)")

    def close(self) -> None:
        if self.is_open:
            self.is_open = False
            self._subscriber.disable_monitor()
            self._monitor.close()  # else the context waits for it forever
            self._subscriber.close()
            self._context.term()

    def _await_publisher(self) -> None:
        if not self._monitor.poll(round(OPEN_S * 1000)) or self._event() != UP:
            raise OSError("no ZeroMQ publisher")

    def _receive(self) -> None:
        poller = zmq.Poller()
        poller.register(self._subscriber, zmq.POLLIN)
        poller.register(self._monitor, zmq.POLLIN)
        try:
            ready = dict(poller.poll(self._timeout_ms))
            if self._subscriber in ready:
                message = b" ".join(self._subscriber.recv_multipart())
                self._buffer += message.replace(b"\n", b" ").replace(b"\r", b" ") + b"\n"
            elif self._monitor in ready and self._event() != UP:
                raise OSError("device disconnected")
        except zmq.ZMQError as error:  # it is no OSError
            raise OSError(str(error)) from None

    def _event(self) -> int:
        return int(recv_monitor_message(self._monitor)["event"])
