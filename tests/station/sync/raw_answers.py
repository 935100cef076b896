"""Raw HTTP answers over real sockets: whatever comes back, sync gets a PostOutcome that it can store.

Drawn by seed: odd statuses, headers and bodies, mutated, cut, reset, silent, slow, endless. `./dev bench raw-answers`.
"""

import collections
import contextlib
import json
import random
import re
import select
import socket
import struct
import threading
from collections.abc import Callable

import apsw

from shared.protocol.results import PostAccepted, PostDeferred, PostOutcome, PostRejected, encode_accepted
from shared.web.http_exchange import HttpExchange, Timeouts
from station.sync.attempts import _columns
from station.sync.webhook import WebhookLeaderboard, checked_address
from tests.station.sync.fault_server import SECRET
from tests.station.sync.sample_results import result

RESULT = result()
WELL = encode_accepted(PostAccepted(10_000, 1, 1))
NO = b'{"error": "There is no race like that."}'
BODIES = (
    WELL,
    NO,
    b"",
    b"{}",
    b"[]",
    b"<html>Welcome</html>",
    b'{"error":{"code":403}}',
    b'{"error":"Not Found","status":404}',
    b'{"score_ms":' + b"9" * 400 + b',"rank":1,"racers":1,"best":true}',
    b'{"score_ms":1e400,"rank":1,"racers":1}',
    b'{"score_ms":9999,"rank":1,"racers":1,"best":true}',
    b'{"error":"\\ud800 lone and \\u0000 nul"}',
    b"[" * 30_000,
    b"\xff\xfe\x00",
    b"x" * 70_000,
)
STATUSES = (
    *(100, 101, 103, 199, 200, 201, 202, 204, 206, 226, 300, 301, 302, 303, 304, 307, 308, 400, 401, 403, 404),
    *(405, 406, 407, 408, 409, 410, 413, 418, 421, 422, 423, 425, 426, 428, 429, 431, 451, 499, 500, 501, 502),
    *(503, 504, 505, 511, 520, 599, 600, 999, 0, 12, 1000),
)
HEADERS = (
    b"Retry-After: \x1f5",
    b"Retry-After: 99999999999999999999",
    b"Retry-After: -1",
    b"Retry-After: \xc2\xb2",
    b"Retry-After: " + b"9" * 5000,
    b"Retry-After: Thu, 99 Foo 99999 99:99:99 GMT",
    b"Retry-After: Mon, 01 Jan 0000 00:00:00 +9999",
    b"Location: http://portal/h\xf6tel",
    b"Location: \xff\xfe",
    b"Location: //[",
    b"Content-Encoding: gzip",
    b"Content-Encoding: br, deflate, zstd",
    b"Content-Encoding: \xff",
    b"Transfer-Encoding: chunked",
    b"Transfer-Encoding: gzip, chunked",
    b"Transfer-Encoding: identity",
    b"Content-Length: -5",
    b"Content-Length: " + b"9" * 5000,
    b"Content-Length: 12, 12",
    b"Content-Type: application/json; charset=\xff",
    b"Content-Type: text/html",
    b"raceday-contract: results/1",
    b"Set-Cookie: " + b"x" * 40_000,
    b"Connection: upgrade",
    b"Upgrade: h2c",
    b": no name",
    b"no colon",
    b" folded",
    b"a\x00b: c",
)
ODD_LINES = (b"HTTP/1.0 %d", b"HTTP/1.1 %d ", b"HTTP/2 %d OK", b"ICY %d", b"http/1.1 %d x", b"HTTP/1.1  %d")
ENDS = ("close", "close", "close", "close", "reset", "cut")
TIDY = 0.5  # this part of all is not mutated


def head(rng: random.Random, body: bytes) -> bytes:
    status = rng.choice((rng.choice(STATUSES), 200, 201, 404, 422))
    lines = [(rng.choice(ODD_LINES) if rng.random() < 0.1 else b"HTTP/1.1 %03d Word") % status]
    lines += rng.sample(HEADERS, rng.choice((0, 0, 0, 1, 1, 2, 4)))
    if rng.random() < 0.6:
        lines.append(b"Content-Length: %d" % (len(body) + rng.choice((0, 0, 0, 0, -1, 1, 500))))
    return rng.choice((b"\r\n", b"\r\n", b"\r\n", b"\n")).join([*lines, b"", b""])


def chunked(rng: random.Random, body: bytes) -> bytes:
    size = rng.choice((b"%x" % len(body), b"0", b"ffffffffffffffff", b"-1", b"zz", b"1" * 30))
    return size + b"\r\n" + body + b"\r\n0\r\n\r\n"


def mutated(rng: random.Random, text: bytes) -> bytes:
    """The answer as a broken or hostile machine would send it."""
    made = bytearray(text)
    for _ in range(rng.choice((1, 1, 2, 5, 20))):
        at = rng.randrange(len(made) + 1)
        what = rng.randrange(5)
        if what == 0:
            made[at : at + 1] = bytes([rng.randrange(256)])
        elif what == 1:
            made[at:at] = rng.randbytes(rng.choice((1, 3, 30)))
        elif what == 2:
            del made[at : at + rng.choice((1, 4, 40))]
        elif what == 3:
            made[at:at] = made[max(0, at - 60) : at]
        else:
            made[at:at] = rng.choice(HEADERS) + b"\r\n"
    return bytes(made)


def answer_text(rng: random.Random) -> bytes:
    if rng.random() < 0.02:
        return rng.randbytes(rng.randrange(300))
    body = rng.choice((WELL, NO, *BODIES))
    before = b"HTTP/1.1 100 Continue\r\n\r\n" * rng.choice((0, 0, 0, 0, 1, 3))
    text = before + head(rng, body) + (chunked(rng, body) if rng.random() < 0.2 else body)
    return text if rng.random() < TIDY else mutated(rng, text)


class Answerer(threading.Thread):
    """A server that gives each client the next text, in the manner that goes with it."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.listening = socket.create_server(("127.0.0.1", 0), backlog=16)
        self.port = self.listening.getsockname()[1]
        self.next: tuple[bytes, str] = (b"", "close")

    def run(self) -> None:
        while True:
            try:
                caller, _ = self.listening.accept()
            except OSError:
                return
            with caller, contextlib.suppress(OSError):
                self._answer(caller, *self.next)

    def _answer(self, caller: socket.socket, text: bytes, manner: str) -> None:
        caller.settimeout(5)
        if manner == "unread":
            caller.sendall(text)
            return
        caller.recv(65_536)
        match manner:
            case "cut":
                caller.sendall(text[: len(text) // 2])
            case "reset":
                caller.sendall(text)
                caller.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            case "silent":
                self._until_gone(caller)
            case "slow":
                for at in range(len(text)):
                    caller.sendall(text[at : at + 1])
                    if select.select([caller], [], [], 0.01)[0]:
                        return
                self._until_gone(caller)
            case "endless":
                caller.sendall(text)
                while True:
                    caller.sendall(b"a: b\r\n" * 500)
            case _:
                caller.sendall(text)

    def _until_gone(self, caller: socket.socket) -> None:
        while caller.recv(4096):
            pass


def manner_of(rng: random.Random) -> str:
    odd = rng.random()
    return "silent" if odd < 0.002 else "slow" if odd < 0.006 else "endless" if odd < 0.02 else rng.choice(ENDS)


def run(count: int, seed: int, check: Callable[[bytes, PostOutcome], None]) -> collections.Counter[str]:
    """Tries this many answers; returns what was made of them. An exception that escapes `post` ends it."""
    rng = random.Random(seed)
    answerer = Answerer()
    answerer.start()
    address = checked_address(f"http://127.0.0.1:{answerer.port}")
    board = WebhookLeaderboard(address.geturl(), SECRET, {}, exchange=HttpExchange(address, Timeouts(2.0, 0.1)))
    kinds: collections.Counter[str] = collections.Counter()
    try:
        for _ in range(count):
            answerer.next = text, _ = answer_text(rng), manner_of(rng)
            answer = board.post(RESULT)
            kinds[type(answer).__name__] += 1
            check(text, answer)
    finally:
        answerer.listening.close()
    return kinds


class AnswerChecker:
    """Checks that each answer is one of the three, can be stored, and settles nothing unless in the contract's form."""

    def __init__(self) -> None:
        self._db = apsw.Connection(":memory:")
        self._db.execute("CREATE TABLE answers (kind, reason, status, score_ms, rank, racers, best)")

    def __call__(self, text: bytes, answer: PostOutcome) -> None:
        assert isinstance(answer, PostAccepted | PostRejected | PostDeferred), answer
        self._db.execute("INSERT INTO answers VALUES (?, ?, ?, ?, ?, ?, ?)", _columns(answer))
        if isinstance(answer, PostAccepted):
            assert says_posted(text, answer), text
        if isinstance(answer, PostRejected):
            assert b'"error"' in text, text
        if not isinstance(answer, PostAccepted):
            assert answer.reason.isprintable(), answer


_POSTED_LINE = re.compile(rb"HTTP/1\.[0-9] 20[01]\b")


def says_posted(text: bytes, answer: PostAccepted) -> bool:
    """Whether the bytes hold a status 200 or 201 and, in one piece, an object with just these numbers.

    It reads neither headers nor lengths: it is a second opinion, not a second HTTP.
    """
    if not _POSTED_LINE.search(text):
        return False
    plain, reader = text.decode("utf-8", "replace"), json.JSONDecoder()
    for start in re.finditer(r"\{", plain):
        try:
            found, _ = reader.raw_decode(plain, start.start())
        except (ValueError, RecursionError):
            continue
        if (found.get("score_ms"), found.get("rank"), found.get("racers")) == (
            answer.score_ms,
            answer.rank,
            answer.racers,
        ):
            return True
    return False
