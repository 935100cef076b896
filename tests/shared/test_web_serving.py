"""Over real sockets: whoever is put out is shut, also where it was on its way from the door to uvicorn."""

import selectors
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import uvicorn

import shared.web_serving
from shared.web_crowd import Room
from shared.web_serving import CountingServer, listening_socket

BURST = 120
PATIENCE_S = 30.0  # for a failure only: the test goes on as soon as it happens
ASKED = b"GET / HTTP/1.1\r\nHost: hall\r\n\r\n"


async def empty(scope: dict[str, Any], _receive: object, send: Any) -> None:
    assert scope["type"] == "http"
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"0")]})
    await send({"type": "http.response.body", "body": b""})


@contextmanager
def stranger(port: int, count: int) -> Iterator[selectors.BaseSelector]:
    """So many whole requests of one address, before the server takes the first."""
    with selectors.DefaultSelector() as sockets:
        for _ in range(count):
            made = socket.socket()
            made.bind(("127.0.0.2", 0))
            made.connect(("127.0.0.1", port))
            made.sendall(ASKED)
            made.setblocking(False)
            sockets.register(made, selectors.EVENT_READ)
        try:
            yield sockets
        finally:
            for key in list(sockets.get_map().values()):
                key.fileobj.close()  # type: ignore[union-attr]


def hear(sockets: selectors.BaseSelector, one: socket.socket) -> None:
    """After an answer one byte of the next request, which ends uvicorn's own wait for it."""
    try:
        if one.recv(4096):
            one.sendall(b"G")
            return
    except OSError:
        pass  # reset: it is put out
    sockets.unregister(one)
    one.close()


def left_at_most(sockets: selectors.BaseSelector, most: int) -> int:
    """Returns as soon as no more than `most` are open; what is open when nothing happens any more."""
    while (still := len(sockets.get_map())) > most:
        happened = sockets.select(PATIENCE_S)
        if not happened:
            return still
        for key, _ in happened:
            hear(sockets, key.fileobj)  # type: ignore[arg-type]
    return len(sockets.get_map())


@pytest.mark.parametrize(
    ("room", "stays", "official"),
    [
        (Room(8, 2, idle_each=4, head_s=1e6, keep_s=1e6), 6, False),  # beside the officials' places
        (Room(8, 2, idle_each=8, head_s=1e6, keep_s=1e6), 6, False),
        (Room(8, 2, idle_each=8, head_s=1e6, keep_s=1e6), 8, True),
        (Room(8, 2, idle_each=4, head_s=0.0, keep_s=0.0), 0, False),  # all deadlines pass
        (Room(8, 2, idle_each=4, head_s=0.0, keep_s=0.0), 0, True),
    ],
)
@pytest.mark.parametrize("at_once", [1, 16])
def test_a_burst_leaves_no_more_open_than_are_counted(
    monkeypatch: pytest.MonkeyPatch, room: Room, stays: int, official: bool, at_once: int
) -> None:
    monkeypatch.setattr(shared.web_serving, "BATCH", at_once)
    monkeypatch.setattr(shared.web_serving, "SWEEP_S", 0.01)
    config = uvicorn.Config(empty, http="h11", ws="none", lifespan="off", log_level="critical")
    with listening_socket("127.0.0.1", 0) as listening:
        server = CountingServer(config, room, lambda _address: official)
        serving = threading.Thread(target=server.run, args=([listening],))
        with stranger(listening.getsockname()[1], BURST) as sockets:
            serving.start()
            try:
                assert left_at_most(sockets, stays) <= stays
            finally:
                server.should_exit = True
                serving.join(PATIENCE_S)
    assert not serving.is_alive()
    assert len(server.crowd) == 0
