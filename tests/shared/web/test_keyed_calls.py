"""Calls with a key against real servers on loopback: what they bring, and to whom the key is never told."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from raceday.submitting.api import LeaderboardApi
from shared.errors import BadInput, OperatorError, RetryLater
from shared.web.keyed_calls import KeyedCalls

Reply = tuple[int, dict[str, str], bytes]


@contextmanager
def answering(reply: Reply) -> Iterator[tuple[str, list[tuple[str, str | None, bytes]]]]:
    """A server that always answers so: its address, and the (path, authorization, body) of what it was asked."""
    asked: list[tuple[str, str | None, bytes]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            asked.append((self.path, self.headers.get("authorization"), body))
            status, headers, content = reply
            self.send_response(status)
            for name, value in {"content-length": str(len(content)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST  # noqa: N815 (the library's name)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}", asked
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_redirection_does_not_take_the_key_elsewhere(status: int, method: str) -> None:
    with (
        answering((200, {}, b"{}")) as (elsewhere, asked),
        answering((status, {"location": elsewhere}, b"")) as (url, _),
    ):
        answer = KeyedCalls(url, "rk_secret").send(method, "/x", None if method == "GET" else b"1", 100)
        with pytest.raises(OperatorError, match=f"HTTP {status}"):
            LeaderboardApi(url, "rk_secret").call(method, "/models")
    assert answer.status == status
    assert asked == []


def test_the_key_and_the_body_arrive_and_a_long_answer_is_cut() -> None:
    with answering((200, {"Upload-Offset": "7"}, b'{"a": 1}' + b" " * 1000)) as (url, asked):
        answer = KeyedCalls(f"{url}/", "rk_k").send("POST", "/y", b"body", 8, {"upload-offset": "3"})
    assert asked == [("/y", "Bearer rk_k", b"body")]
    assert (answer.status, answer.headers["upload-offset"], answer.document) == (200, "7", {"a": 1})


@pytest.mark.parametrize(
    ("body", "document", "sentence"),
    [
        (b'{"error": "It is over."}', {"error": "It is over."}, "It is over."),
        (b"", {}, "HTTP 410"),
        (b"<html>", None, "HTTP 410"),
        (b"[1]", None, "HTTP 410"),
        (b"[" * 5000, None, "HTTP 410"),
    ],
)
def test_a_refusal_says_its_sentence_or_its_status(body: bytes, document: object, sentence: str) -> None:
    with answering((410, {}, body)) as (url, _):
        answer = KeyedCalls(url, "rk_k").send("GET", "/", None, 1 << 16)
    assert (answer.document, answer.sentence) == (document, sentence)


def test_a_proxys_own_word_for_away_is_tried_again_and_a_stranger_is_no_leaderboard() -> None:
    away_reply = (502, {"retry-after": "3"}, b"<html>Bad gateway")
    with answering(away_reply) as (url, _), pytest.raises(RetryLater) as away:
        LeaderboardApi(url, "rk_k").call("GET", "/models")
    assert away.value.after_s == 3
    with answering((200, {}, b"<html>")) as (url, _), pytest.raises(OperatorError, match="no leaderboard"):
        LeaderboardApi(url, "rk_k").call("GET", "/models")


def test_nobody_there_and_no_address() -> None:
    with answering((200, {}, b"")) as (url, _):
        pass
    with pytest.raises(RetryLater, match="cannot be reached"):
        KeyedCalls(url, "rk_k").send("GET", "/", None, 1)
    with pytest.raises(BadInput, match="not the address"):
        KeyedCalls("ftp://x", "rk_k")
