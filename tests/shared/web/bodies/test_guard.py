"""A body is refused by its sender, its length, its time and its number before or while it arrives."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import Message, Receive, Scope, Send

from shared.web.bodies.bounds import BodyBound, BodyBounds
from shared.web.bodies.guard import BodyGuard, BodyRefusal, declared_bytes

TABLE = BodyBounds(
    (
        BodyBound("PUT", "/file", 100_000, at_once=1),
        BodyBound("POST", "/stop", sender="nobody"),
        BodyBound("POST", "/slow", silence_s=0.0),
        BodyBound("POST", "/long", within_s=0.0),
    )
)
PART = 8192


class Sender:
    """A client that sends without end, or as many bytes as it says; counts what was taken of it."""

    def __init__(self, parts: int = 10**9, headers: dict[str, str] | None = None) -> None:
        self.parts, self.taken = parts, 0
        self.headers = headers if headers is not None else {"transfer-encoding": "chunked"}
        self.answer = b""
        self.status = 0

    async def receive(self) -> Message:
        self.parts -= 1
        self.taken += PART
        return {"type": "http.request", "body": b"x" * PART, "more_body": self.parts > 0}

    async def send(self, message: Message) -> None:
        self.status = message.get("status", self.status)
        self.answer += message.get("body", b"")

    async def to(self, app: BodyGuard, method: str, path: str, receive: Receive | None = None) -> int:
        headers = [(name.encode(), value.encode()) for name, value in self.headers.items()]
        scope = {"type": "http", "method": method, "path": path, "headers": headers, "scheme": "http"}
        await app(scope, receive or self.receive, self.send)
        return self.status


async def reads_all(scope: Scope, receive: Receive, send: Send) -> None:
    body = await Request(scope, receive).body()
    await PlainTextResponse(str(len(body)))(scope, receive, send)


async def catches_all(scope: Scope, receive: Receive, send: Send) -> None:
    """As FastAPI does: whatever happens while a body is read becomes an answer of 400."""
    try:
        await reads_all(scope, receive, send)
    except ClientDisconnect:
        await PlainTextResponse("There was an error parsing the body", 400)(scope, receive, send)


async def only_the_signed_in(scope: Scope, bound: BodyBound) -> BodyRefusal | None:
    known = "cookie" in Headers(scope=scope) or bound.sender == "anybody"
    return None if known else BodyRefusal(401, "Sign in first.")


async def anybody(_scope: Scope, _bound: BodyBound) -> BodyRefusal | None:
    return None


async def plain(_scope: Scope, refused: BodyRefusal) -> Response:
    return PlainTextResponse(refused.sentence, refused.status)


def guarded(
    app: Callable[[Scope, Receive, Send], Awaitable[None]] = reads_all, *, open_to_all: bool = True
) -> BodyGuard:
    return BodyGuard(app, TABLE, anybody if open_to_all else only_the_signed_in, plain)


@pytest.mark.parametrize("headers", [{"content-length": str(10**9)}, {"transfer-encoding": "chunked"}])
@pytest.mark.parametrize("path", ["/file", "/", "/nothing"])
def test_of_who_is_not_known_nothing_is_read(headers: dict[str, str], path: str) -> None:
    sender = Sender(headers=headers)
    assert asyncio.run(sender.to(guarded(open_to_all=False), "PUT", path)) == 401
    assert sender.taken == 0


@pytest.mark.parametrize("app", [reads_all, catches_all])
def test_a_body_without_end_is_cut_at_its_bound(app: Callable[[Scope, Receive, Send], Awaitable[None]]) -> None:
    for path, bound in (("/", 16_384), ("/file", 100_000)):
        sender = Sender()
        assert asyncio.run(sender.to(guarded(app), "PUT", path)) == 413
        assert sender.taken <= bound + PART
        assert sender.answer.startswith(b"What is sent here has at most")


@pytest.mark.parametrize(("length", "status"), [("16384", 200), ("16385", 413), ("9" * 5000, 413)])
def test_a_declared_length_is_believed_before_anything_is_read(length: str, status: int) -> None:
    sender = Sender(2, {"content-length": length})
    assert asyncio.run(sender.to(guarded(), "POST", "/")) == status
    assert sender.taken == (2 * PART if status == 200 else 0)


@pytest.mark.parametrize("path", ["/slow", "/long"])
def test_a_body_that_stalls_is_ended(path: str) -> None:
    async def forever() -> Message:
        return await asyncio.get_running_loop().create_future()

    sender = Sender()
    assert asyncio.run(sender.to(guarded(), "POST", path, forever)) == 408
    assert b"did not arrive in time" in sender.answer


def test_the_stop_reads_nothing_whatever_it_is_given() -> None:
    sender = Sender(headers={"content-length": str(10**12)})
    assert asyncio.run(sender.to(guarded(open_to_all=False), "POST", "/stop")) == 200
    assert (sender.answer, sender.taken) == (b"0", 0)


def test_one_file_at_a_time() -> None:
    async def two() -> tuple[int, int, int]:
        arrived = asyncio.Event()

        async def waits(scope: Scope, receive: Receive, send: Send) -> None:
            await arrived.wait()
            await reads_all(scope, receive, send)

        app = guarded(waits)
        first, second, third = Sender(1), Sender(1), Sender(1)
        working = asyncio.create_task(first.to(app, "PUT", "/file"))
        await asyncio.sleep(0)
        refused = await second.to(app, "PUT", "/file")
        arrived.set()
        return await working, refused, await third.to(app, "PUT", "/file")

    assert asyncio.run(two()) == (200, 503, 200)


def test_a_client_that_goes_is_no_refusal() -> None:
    async def gone() -> Message:
        return {"type": "http.disconnect"}

    sender = Sender()
    with pytest.raises(ClientDisconnect):
        asyncio.run(sender.to(guarded(), "POST", "/", gone))
    assert sender.status == 0


@pytest.mark.parametrize(
    ("headers", "length"),
    [
        ({}, 0),
        ({"content-length": "0"}, 0),
        ({"content-length": "7"}, 7),
        ({"content-length": "-1"}, None),
        ({"content-length": "²"}, None),
        ({"content-length": "0", "transfer-encoding": "chunked"}, None),
        ({"transfer-encoding": "identity"}, None),
    ],
)
def test_what_the_headers_say_of_the_length(headers: dict[str, str], length: int | None) -> None:
    assert declared_bytes(Headers(headers)) == length
