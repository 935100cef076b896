"""Connections that a server closes because one client has too many are counted among its refusals."""

import socket
import threading

from starlette.applications import Starlette

from shared.refusals import Refusals
from shared.web.connection_limits import ConnectionLimits
from shared.web.server import BackgroundServer, CountingServer, listen, server_config

SILENT = 40
MAX_IDLE = 4


class WatchedRefusals(Refusals):
    """Says when the first was counted."""

    def __init__(self) -> None:
        super().__init__()
        self.counted = threading.Event()

    def record(self, kind: str, who: str, what: str, now_s: float, times: int = 1) -> str | None:
        line = super().record(kind, who, what, now_s, times)
        self.counted.set()
        return line


def test_a_client_with_too_many_silent_connections_is_counted() -> None:
    refusals = WatchedRefusals()
    config = server_config(Starlette())
    server = CountingServer(config, ConnectionLimits(64, max_idle_each=MAX_IDLE), refusals=refusals)
    web = BackgroundServer("test", server, listen("127.0.0.1", 0, "web"), close_streams=lambda: None)
    web.start()
    opened: list[socket.socket] = []
    there = ("127.0.0.1", web.port)
    try:
        # Our own loopback address is not limited: proxies of this machine come from there.
        opened += [socket.create_connection(there, 60, source_address=("127.0.0.2", 0)) for _ in range(SILENT)]
        assert refusals.counted.wait(60)
    finally:
        for each in opened:
            each.close()
        web.close()
    rows = [(row.kind, row.who) for row in refusals.counts()]
    assert rows == [("connection", "127.0.0.2")]
    assert MAX_IDLE <= refusals.totals()["connection"] <= SILENT
