"""Over real sockets: evicted connections are closed, also on their way to uvicorn; and who is served first."""

import asyncio
import contextlib
import logging
import selectors
import socket
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import uvicorn

import shared.web.accepting.acceptor
from shared.web.accepting.acceptor import STARTED_PER_TURN
from shared.web.accepting.counted_protocol import CountedHttpProtocol
from shared.web.connection_limits import ConnectionLimits
from shared.web.server import CountingServer, listening_socket

BURST = 120
PATIENCE_S = 30.0  # reached only on failure: the test goes on as soon as the event happens
PAGE = b"GET / HTTP/1.1\r\nHost: station\r\n\r\n"


async def empty(scope: dict[str, Any], _receive: object, send: Any) -> None:
    assert scope["type"] == "http"
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"0")]})
    await send({"type": "http.response.body", "body": b""})


@contextmanager
def stranger(port: int, count: int) -> Iterator[selectors.BaseSelector]:
    """Send `count` whole requests from one address before the server accepts the first."""
    with selectors.DefaultSelector() as sockets:
        for _ in range(count):
            made = socket.socket()
            made.bind(("127.0.0.2", 0))
            made.connect(("127.0.0.1", port))
            made.sendall(PAGE)
            made.setblocking(False)
            sockets.register(made, selectors.EVENT_READ)
        try:
            yield sockets
        finally:
            for key in list(sockets.get_map().values()):
                key.fileobj.close()  # type: ignore[union-attr]


def read_answer(sockets: selectors.BaseSelector, one: socket.socket) -> None:
    """Read what arrived; after an answer send a byte of the next request, which ends uvicorn's own keep-alive wait."""
    try:
        if one.recv(4096):
            one.sendall(b"G")
            return
    except OSError:
        pass  # reset: the server closed it
    sockets.unregister(one)
    one.close()


def left_at_most(sockets: selectors.BaseSelector, max_open: int) -> int:
    """Wait until at most `max_open` are open; return how many are, also if nothing happens any more."""
    while (still := len(sockets.get_map())) > max_open:
        happened = sockets.select(PATIENCE_S)
        if not happened:
            return still
        for key, _ in happened:
            read_answer(sockets, key.fileobj)  # type: ignore[arg-type]
    return len(sockets.get_map())


@pytest.mark.parametrize(
    ("limits", "stays", "official"),
    [
        (
            ConnectionLimits(8, 2, max_idle_each=4, head_s=1e6, keep_alive_s=1e6),
            6,
            False,
        ),  # beside the officials' places
        (ConnectionLimits(8, 2, max_idle_each=8, head_s=1e6, keep_alive_s=1e6), 6, False),
        (ConnectionLimits(8, 2, max_idle_each=8, head_s=1e6, keep_alive_s=1e6), 8, True),
        (ConnectionLimits(8, 2, max_idle_each=4, head_s=0.0, keep_alive_s=0.0), 0, False),  # all deadlines pass
        (ConnectionLimits(8, 2, max_idle_each=4, head_s=0.0, keep_alive_s=0.0), 0, True),
    ],
)
@pytest.mark.parametrize("at_once", [1, 16])
def test_a_burst_leaves_no_more_open_than_are_counted(
    monkeypatch: pytest.MonkeyPatch, limits: ConnectionLimits, stays: int, official: bool, at_once: int
) -> None:
    monkeypatch.setattr(shared.web.accepting.acceptor, "ACCEPT_BATCH", at_once)
    monkeypatch.setattr(shared.web.accepting.acceptor, "SWEEP_S", 0.01)
    config = uvicorn.Config(empty, http="h11", ws="none", lifespan="off", log_level="critical")
    with listening_socket("127.0.0.1", 0) as listening:
        server = CountingServer(config, limits, lambda _address: official)
        serving = threading.Thread(target=server.run, args=([listening],))
        with stranger(listening.getsockname()[1], BURST) as sockets:
            serving.start()
            try:
                assert left_at_most(sockets, stays) <= stays
            finally:
                server.should_exit = True
                serving.join(PATIENCE_S)
    assert not serving.is_alive()
    assert len(server.connections) == 0


STOP = b"POST /stop"
OFFICIAL, STRANGER, SPECTATOR, UNKNOWN = "127.0.0.1", "127.0.0.2", "127.0.0.3", "127.0.0.4"
WHOLE_STOP = STOP + b" HTTP/1.1\r\nHost: station\r\nContent-Length: 0\r\n\r\n"
HALF_STOP = STOP + b" HTTP/1.1\r\nHost: station\r\nX-Much: "


class Order:
    """Records whose connections uvicorn got, in which turn of the loop and in which order."""

    def __init__(self) -> None:
        self.turn = 0
        self.begun: list[tuple[int, str]] = []  # in which turn, whose
        self.max_queued = 0
        self.shut_on_their_way = 0

    def observe(self, server: CountingServer) -> None:
        """Record the connections of `server`; call in its loop, before it accepts the first."""
        made = server._protocol

        def protocol() -> CountedHttpProtocol:
            begun = made()
            begun.connection_made = self.recording(begun, begun.connection_made)  # type: ignore[method-assign, assignment]
            return begun

        server._protocol = protocol  # type: ignore[method-assign]

    def recording(self, begun: CountedHttpProtocol, then: Callable[[Any], None]) -> Callable[[Any], None]:
        def connection_made(transport: asyncio.Transport) -> None:
            self.begun.append((self.turn, begun.connection.address))
            self.shut_on_their_way += begun.connection.group is None
            then(transport)

        return connection_made

    def tick(self, server: CountingServer) -> None:
        self.turn += 1
        for acceptor in server.servers:
            self.max_queued = max(self.max_queued, len(acceptor._queued))  # type: ignore[attr-defined]
        asyncio.get_running_loop().call_soon(self.tick, server)


class TickingServer(CountingServer):
    """A server that counts the turns of its loop."""

    order: Order

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        self.order.observe(self)
        await super().startup(sockets)
        self.order.tick(self)


def run_requests(limits: ConnectionLimits, requests: list[tuple[str, bytes]], official: str) -> Order:
    """Connect them all before the server accepts the first; run until each was begun or closed."""
    config = uvicorn.Config(empty, http="h11", ws="none", lifespan="off", log_level="critical")
    with listening_socket("127.0.0.1", 0) as listening, contextlib.ExitStack() as sockets:
        server = TickingServer(config, limits, lambda address: address == official, (STOP,))
        server.order = Order()
        made = []
        for source, request in requests:
            client = sockets.enter_context(socket.socket())
            client.bind((source, 0))
            client.connect(("127.0.0.1", listening.getsockname()[1]))
            client.sendall(request)
            client.settimeout(PATIENCE_S)
            made.append(client)
        serving = threading.Thread(target=server.run, args=([listening],))
        serving.start()
        try:
            for client, (_, request) in zip(made, requests, strict=True):
                if request is not HALF_STOP:
                    with contextlib.suppress(ConnectionResetError):
                        client.recv(100)
        finally:
            sockets.close()
            server.should_exit = True
            serving.join(PATIENCE_S)
    assert not serving.is_alive()
    return server.order


ROOMY = ConnectionLimits(600, 100, max_idle_each=600, head_s=1e6, keep_alive_s=1e6)


@pytest.mark.parametrize("flood", [WHOLE_STOP, HALF_STOP, WHOLE_STOP + PAGE], ids=["whole", "half", "two in one"])
@pytest.mark.parametrize("request_of_official", [WHOLE_STOP, PAGE], ids=["stop", "page"])
def test_strangers_stops_are_begun_a_few_a_turn_after_the_officials_and_beside_all_others(
    flood: bytes, request_of_official: bytes
) -> None:
    """Everybody else is among the first, wherever in the flood they came."""
    requests = [(STRANGER, flood)] * 100 + [(SPECTATOR, PAGE), (UNKNOWN, WHOLE_STOP), (OFFICIAL, request_of_official)]
    order = run_requests(ROOMY, requests + [(STRANGER, flood)] * 100, OFFICIAL)
    a_turn = Counter(turn for turn, _ in order.begun)
    assert max(a_turn.values()) <= STARTED_PER_TURN + 2
    whose = [address for _, address in order.begun]
    assert whose[0] == OFFICIAL
    assert {SPECTATOR, UNKNOWN} <= set(whose[: STARTED_PER_TURN + 2])


def test_where_nobody_is_an_official_a_stop_does_not_wait_behind_a_flood_of_them() -> None:
    """As on the car, which does not know the addresses of the phones."""
    requests = [(STRANGER, WHOLE_STOP)] * 100 + [(UNKNOWN, WHOLE_STOP)] + [(STRANGER, WHOLE_STOP)] * 100
    order = run_requests(ROOMY, requests, official="none")
    assert UNKNOWN in [address for _, address in order.begun[:2]]


def test_who_was_put_out_before_he_was_heard_waits_nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """The queue never holds more than there are places, however many come in a turn."""
    monkeypatch.setattr(shared.web.accepting.acceptor, "ACCEPT_BATCH", 16)
    limits = ConnectionLimits(8, 2, max_idle_each=8, head_s=1e6, keep_alive_s=1e6)
    order = run_requests(limits, [(STRANGER, WHOLE_STOP)] * 300 + [(OFFICIAL, WHOLE_STOP)], OFFICIAL)
    assert order.max_queued <= limits.max_connections
    assert OFFICIAL in [address for _, address in order.begun]


def test_who_is_on_his_way_is_not_put_out_for_newcomers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Behind one access point a flood has the official's own address: a request that was begun is answered."""
    monkeypatch.setattr(shared.web.accepting.acceptor, "ACCEPT_BATCH", 4)
    limits = ConnectionLimits(32, 8, max_idle_each=32, head_s=1e6, keep_alive_s=1e6)
    order = run_requests(limits, [(OFFICIAL, WHOLE_STOP)] * 300, OFFICIAL)
    assert order.begun
    assert order.shut_on_their_way == 0


async def endless(_scope: object, _receive: object, send: Any) -> None:
    """A stream whose end nobody has asked for yet."""
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"x", "more_body": True})
    await asyncio.Event().wait()


@pytest.mark.parametrize(
    ("app", "request_begins", "answered"),
    [
        (empty, b"", False),  # browsers open spare connections
        (empty, PAGE[:9], False),
        (empty, PAGE, True),  # kept for its next request
        (endless, PAGE, True),
    ],
    ids=["nothing", "half a request", "kept", "a stream"],
)
def test_a_server_that_has_stopped_keeps_no_connection_open(
    app: Any, request_begins: bytes, answered: bool, caplog: pytest.LogCaptureFixture
) -> None:
    """What it cuts off is no error in the log."""
    config = uvicorn.Config(app, lifespan="off", log_config=None, log_level="warning", timeout_graceful_shutdown=0)
    errors = logging.getLogger("uvicorn.error")
    errors.addHandler(caplog.handler)  # its records may not reach the root's
    with listening_socket("127.0.0.1", 0) as listening, contextlib.ExitStack() as sockets:
        server = CountingServer(config, ROOMY)
        serving = threading.Thread(target=server.run, args=([listening],))
        serving.start()
        made = [sockets.enter_context(socket.create_connection(listening.getsockname())) for _ in range(3)]
        try:
            for client in made:
                client.settimeout(PATIENCE_S)
                client.sendall(request_begins)
                assert not answered or client.recv(100)
            # The server takes connections in the order in which they come: it has those above.
            with socket.create_connection(listening.getsockname()) as last:
                last.settimeout(PATIENCE_S)
                last.sendall(PAGE)
                assert last.recv(100)
        finally:
            server.should_exit = True
            serving.join(PATIENCE_S)
        assert len(server.connections) == 0
        for client in made:
            with contextlib.suppress(ConnectionResetError):
                while client.recv(100):
                    pass
    errors.removeHandler(caplog.handler)
    assert [record.getMessage() for record in caplog.records] == []
