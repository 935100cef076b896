"""Offers a machine's figures to Prometheus at `/metrics`, on a port and a thread of their own.

The build code of a machine makes it if `[metrics] enabled` is set. A scrape reads what the process keeps anyway.
Whoever asks, and however often, the figures are gathered once a second at most; connections are few and bear deadlines.
"""

import hmac
import threading
import time
from collections.abc import Callable, Iterable
from typing import Protocol

import anyio.to_thread
from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from shared.metrics.settings import MetricsOptions
from shared.refusals import Refusals
from shared.web.connection_limits import ConnectionLimits
from shared.web.refused_requests import name_refusal
from shared.web.security import HostAndHeaderGuard
from shared.web.server import BackgroundServer, CountingServer, listen, server_config

MAX_CONNECTIONS = 16
GATHERED_FOR_S = 1.0
_NO_STORE = {"cache-control": "no-store"}


class Gathers(Protocol):
    """What a machine reports; may read files, must not wait for the timing."""

    def __call__(self) -> Iterable[Metric]: ...


class _Machine(Collector):
    def __init__(self, gather: Gathers) -> None:
        self._gather = gather

    def collect(self) -> Iterable[Metric]:
        return self._gather()

    def describe(self) -> Iterable[Metric]:
        return ()  # registering gathers nothing yet


class Exposition:
    """The figures as text, gathered at most once in `GATHERED_FOR_S`. Thread-safe; may take a while."""

    def __init__(self, gather: Gathers, now_s: Callable[[], float] = time.monotonic) -> None:
        self._registry = CollectorRegistry()
        self._registry.register(_Machine(gather))
        ProcessCollector(registry=self._registry)
        self._now_s = now_s
        self._lock = threading.Lock()
        self._texts: dict[str, bytes] = {}
        self._gathered_s: float | None = None

    def text(self, accept: str) -> tuple[bytes, str]:
        """The figures in the format that `accept` asks for, and its content type."""
        encode, content_type = choose_encoder(accept)
        with self._lock:
            now_s = self._now_s()
            if self._gathered_s is None or now_s - self._gathered_s >= GATHERED_FOR_S:
                self._texts.clear()
                self._gathered_s = now_s
            if content_type not in self._texts:
                self._texts[content_type] = encode(self._registry)
            return self._texts[content_type], content_type


def metrics_app(exposition: Exposition, token: str, machine: str, refusals: Refusals) -> Starlette:
    """The application. `token`: what a scrape must show as bearer, "" if nothing; `machine`: "This station"."""

    async def metrics(request: Request) -> Response:
        shown = request.headers.get("authorization", "")
        if token and not hmac.compare_digest(shown.encode(), f"Bearer {token}".encode()):
            name_refusal(request.scope, "key")
            why = "Show the token of `metrics.token_file`: authorization: Bearer ...\n"
            return PlainTextResponse(why, 401, _NO_STORE | {"www-authenticate": "Bearer"})
        accept = request.headers.get("accept", "")
        text, content_type = await anyio.to_thread.run_sync(exposition.text, accept)
        return Response(text, 200, _NO_STORE | {"content-type": content_type})

    app = Starlette(routes=[Route("/metrics", metrics)])
    # Without a token a foreign page could read it through the browser of this computer, by a name that leads here.
    app.add_middleware(HostAndHeaderGuard, machine=machine, allowed_hosts=None if token else (), refusals=refusals)
    return app


def metrics_server(
    options: MetricsOptions, gather: Gathers, machine: str, refusals: Refusals, number: int = 0
) -> BackgroundServer:
    """The server, over a socket that listens already; to be started and closed. Raises ConfigError.

    `number`: of several processes of one machine, each of which has the port after that of the one before.
    """
    app = metrics_app(Exposition(gather), options.token(), machine, refusals)
    listening = listen(options.host, options.port + number if options.port else 0, "metrics")
    server = CountingServer(server_config(app), ConnectionLimits(MAX_CONNECTIONS, max_idle_each=MAX_CONNECTIONS))
    return BackgroundServer("metrics", server, listening, close_streams=lambda: None)
