"""The world's socket: the connected peers, their messages, and the bytes queued for them. One thread, never blocks.

A slow camera does not get old frames later: a frame that it could not receive in time is replaced by the newest.
"""

import contextlib
import pathlib
import selectors
import socket
from collections.abc import Callable

from shared.errors import BadInput, OperatorError
from simulator.realtime.protocol import Hello, PacketReader, Role, WorldMessage, pack
from vehicle.hardware.frame import Frame

MAX_WAITING_BYTES = 8_000_000
_READ_BYTES = 65_536


class Peer:
    """One connected device. `live`: a gate or control that has sent its ReplayRequest."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self.role: Role | None = None
        self.name = ""
        self.live = False
        self.frames = 0
        self.missed = 0
        self.unpacker = PacketReader()
        self.out = bytearray()
        self.next_frame: bytes | None = None

    def introduce(self, hello: Hello) -> None:
        self.role, self.name = hello.role, hello.name


class SocketServer:
    """Listens on a Unix socket; `on_message(peer, message)` is called inside `poll` for each message received."""

    def __init__(self, path: pathlib.Path, on_message: Callable[[Peer, WorldMessage], None]) -> None:
        self._path = path
        self._on_message = on_message
        self._peers: dict[int, Peer] = {}
        self._server = _listen(path)
        # select(2), since the other selectors round a wait up to whole milliseconds.
        self._selector = selectors.SelectSelector()
        self._selector.register(self._server, selectors.EVENT_READ)

    def peers(self, role: Role, name: str | None = None) -> list[Peer]:
        """The peers of a role, or of one car or beam."""
        return [p for p in self._peers.values() if p.role == role and name in (None, p.name)]

    def poll(self, timeout_s: float) -> None:
        """Receive and send for at most the given time; returns after the first activity."""
        for key, events in self._selector.select(timeout_s):
            if key.fileobj is self._server:
                self._accept()
            elif (peer := self._peers.get(key.fd)) is not None:
                self._serve(peer, events)

    def send(self, peer: Peer, message: WorldMessage) -> None:
        peer.out += pack(message)
        self._flush(peer)

    def send_frame(self, peer: Peer, packet: bytes) -> None:
        """Send a camera frame: while the one before is still being sent, only the newest frame waits."""
        if peer.out:
            peer.missed += peer.next_frame is not None
            peer.next_frame = packet
            return
        peer.out += packet
        self._flush(peer)

    def disconnect(self, peer: Peer) -> None:
        if self._peers.pop(peer.sock.fileno(), None) is not None:
            self._selector.unregister(peer.sock)
            peer.sock.close()

    def close(self) -> None:
        for peer in list(self._peers.values()):
            self.disconnect(peer)
        self._selector.close()
        self._server.close()
        self._path.unlink(missing_ok=True)

    def _accept(self) -> None:
        with contextlib.suppress(BlockingIOError):
            sock, _ = self._server.accept()
            sock.setblocking(False)
            self._peers[sock.fileno()] = Peer(sock)
            self._selector.register(sock, selectors.EVENT_READ)

    def _serve(self, peer: Peer, events: int) -> None:
        if events & selectors.EVENT_WRITE:
            self._flush(peer)
        if not events & selectors.EVENT_READ:
            return
        try:
            data = peer.sock.recv(_READ_BYTES)
            messages = peer.unpacker.feed(data)
        except BlockingIOError:
            return
        except (OSError, BadInput):
            self.disconnect(peer)
            return
        for message in messages:
            if not isinstance(message, Frame) and peer.sock.fileno() >= 0:
                self._on_message(peer, message)
        if not data:
            self.disconnect(peer)

    def _flush(self, peer: Peer) -> None:
        if peer.sock.fileno() < 0:
            return
        try:
            while peer.out:
                del peer.out[: peer.sock.send(peer.out)]
                if not peer.out and peer.next_frame is not None:
                    peer.out += peer.next_frame
                    peer.next_frame = None
        except BlockingIOError:
            pass
        except OSError:
            self.disconnect(peer)
            return
        if len(peer.out) > MAX_WAITING_BYTES:
            self.disconnect(peer)
            return
        wants = selectors.EVENT_READ | (selectors.EVENT_WRITE if peer.out else 0)
        self._selector.modify(peer.sock, wants)


def _listen(path: pathlib.Path) -> socket.socket:
    if path.exists():
        _clear(path)
    server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        server.bind(str(path))
        path.chmod(0o600)
        server.listen()
    except OSError as error:
        server.close()
        raise OperatorError(f"The world cannot listen at {path} ({error}): choose another `run_dir`.") from None
    server.setblocking(False)
    return server


def _clear(path: pathlib.Path) -> None:
    """Remove the socket file of a killed world. Raises OperatorError if a world still listens there."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        try:
            probe.connect(str(path))
        except OSError:
            path.unlink(missing_ok=True)
            return
    raise OperatorError(f"Another world already runs at {path}: stop it, or choose another `run_dir`.")
