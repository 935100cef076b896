"""Tables of who may call what: every address of an app, as every kind of caller, beside a file that says so.

A line of such a file is a method, an address and one word for each caller: "ok" (let through, whatever is then said of
an empty request), "401", "403", "404", or "sign-in" (a page that sends to the sign-in). `docs/reference/access.md` is
made of these files. An address that has no line fails the tests of its machine.
"""

import asyncio
import pathlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

HOST = "127.0.0.1"
Table = dict[str, tuple[str, ...]]  # by method and address


def addresses_of(app: Any) -> list[str]:
    """Every method and address of the app, also those that no OpenAPI document names; static files as one."""
    return sorted(set(_addresses(app.routes)), key=lambda each: each.split(" ")[::-1])


def _addresses(routes: Iterable[Any]) -> Iterator[str]:
    for route in routes:
        included = getattr(route, "original_router", None)
        if included is not None:
            yield from _addresses(included.routes)
        elif methods := getattr(route, "methods", None):
            yield from (f"{method} {route.path}" for method in methods if method != "HEAD")
        else:
            yield f"GET {route.path}/*"


async def call(app: ASGIApp, address: str, headers: Mapping[str, str], body: bytes = b"") -> tuple[int, str]:
    """The status of a call and where it sends to; an answer without an end (an event stream) is left at its start."""
    method, _, target = address.partition(" ")
    path, _, query = target.partition("?")
    started: asyncio.Future[Message] = asyncio.get_running_loop().create_future()
    bodies = iter([body])

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start" and not started.done():
            started.set_result(message)

    async def receive() -> Message:
        for each in bodies:
            return {"type": "http.request", "body": each, "more_body": False}
        await asyncio.Event().wait()  # the client stays until it has its answer
        raise AssertionError

    named = {"host": HOST, **headers} | ({"content-length": str(len(body))} if body else {})
    scope = {
        "type": "http", "http_version": "1.1", "method": method, "scheme": "http", "path": path, "root_path": "",
        "raw_path": path.encode(), "query_string": query.encode(), "client": ("192.0.2.7", 1), "server": (HOST, 80),
        "headers": [(name.encode(), value.encode()) for name, value in named.items()],
    }  # fmt: skip
    running = asyncio.ensure_future(_run(app, scope, receive, send))
    waited: set[asyncio.Future[Any]] = {running, started}
    await asyncio.wait(waited, return_when=asyncio.FIRST_COMPLETED)
    if not started.done():
        running.result()  # what it raised
    message = await started
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    return message["status"], Headers(raw=message["headers"]).get("location", "")


async def _run(app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
    await app(scope, receive, send)


def word(status: int, location: str) -> str:
    """What a table says of an answer."""
    if location.startswith("/sign-in"):
        return "sign-in"
    return str(status) if status in (401, 403, 404) else "ok"


def read(path: pathlib.Path) -> Table:
    """The file's lines."""
    rows = [line.split() for line in path.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    return {f"{row[0]} {row[1]}": tuple(row[2:]) for row in rows if row}


def written(callers: Sequence[str], table: Table) -> str:
    """The text of a file with this table; its first line names the callers."""
    lines = [f"# {'':<56} " + " ".join(f"{caller:<8}" for caller in callers).rstrip()]
    for address, words in table.items():
        method, _, path = address.partition(" ")
        lines.append(f"{method:<6} {path:<51} " + " ".join(f"{each:<8}" for each in words).rstrip())
    return "\n".join(lines) + "\n"
