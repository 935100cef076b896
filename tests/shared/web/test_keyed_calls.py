"""Calls with a key against real servers on loopback: what they bring, and to whom the key is never told."""

import io
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from leaderboard.admin_call import change_race
from leaderboard.admin_files import send_import
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

        do_GET = do_PATCH = do_HEAD = do_POST  # noqa: N815 (the library's name)

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
        with pytest.raises(OperatorError, match=f"did not change 'cup': HTTP {status}"):
            change_race(url, "secret", "cup", {"closed": True})
        with pytest.raises(OperatorError, match=f"imported nothing: HTTP {status}"):
            send_import(url, "secret", {}, io.BytesIO(b"x"), 1)
    assert answer.status == status
    assert asked == []


def test_the_key_and_the_body_arrive_and_a_long_answer_is_cut() -> None:
    with answering((200, {"Upload-Offset": "7"}, b'{"a": 1}' + b" " * 1000)) as (url, asked):
        answer = KeyedCalls(f"{url}/", "rk_k").send("POST", "/y", b"body", 8, {"upload-offset": "3"})
        KeyedCalls(url, "rk_k").send("POST", "/z", io.BytesIO(b"a file"), 8, {"content-length": "6"})
    assert asked == [("/y", "Bearer rk_k", b"body"), ("/z", "Bearer rk_k", b"a file")]
    assert (answer.status, answer.headers["upload-offset"], answer.document) == (200, "7", {"a": 1})


@pytest.mark.parametrize("status", [200, 410])
@pytest.mark.parametrize(("size", "body"), [("9", b'{"a": 1'), ("9", b""), ("many", b"{}")])
def test_an_answer_that_was_cut_off_is_asked_for_again(status: int, size: str, body: bytes) -> None:
    with (
        answering((status, {"content-length": size}, body)) as (url, _),
        pytest.raises(RetryLater, match="cannot be reached"),
    ):
        KeyedCalls(url, "rk_k").send("POST", "/y", b"", 100)


def test_a_size_alone_is_an_answer_where_only_the_head_is_asked_for() -> None:
    with answering((200, {"content-length": "9"}, b"")) as (url, _):
        assert KeyedCalls(url, "rk_k").send("HEAD", "/y", None, 100).status == 200


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
    with answering((200, {}, b"<html>")) as (url, _):
        with pytest.raises(OperatorError, match="not this leaderboard"):
            change_race(url, "secret", "cup", {})
        with pytest.raises(OperatorError, match="not this leaderboard"):
            send_import(url, "secret", {}, io.BytesIO(b"x"), 1)


def test_the_commands_of_a_leaderboard_say_what_it_says() -> None:
    report = b'{"error": "One row is wrong.", "report": {"outcome": "refused"}}'
    with answering((422, {}, report)) as (url, asked):
        assert send_import(url, "secret", {"race": "cup"}, io.BytesIO(b"a,b"), 3) == {"outcome": "refused"}
        with pytest.raises(OperatorError, match="One row is wrong"):
            change_race(url, "secret", "c/p", {})
    assert asked == [
        ("/api/v1/import?race=cup", "Bearer secret", b"a,b"),
        ("/api/v1/races/c%2Fp", "Bearer secret", b"{}"),
    ]
    with pytest.raises(OperatorError, match=r"cannot be reached .* --url"):
        change_race(url, "secret", "cup", {})
    with pytest.raises(OperatorError, match=r"cannot be reached .* --url"):
        send_import(url, "secret", {}, io.BytesIO(b""), 0)


def test_nobody_there_and_no_address() -> None:
    with answering((200, {}, b"")) as (url, _):
        pass
    with pytest.raises(RetryLater, match="cannot be reached"):
        KeyedCalls(url, "rk_k").send("GET", "/", None, 1)
    with pytest.raises(BadInput, match="not the address"):
        KeyedCalls("ftp://x", "rk_k")


def test_a_proxy_of_the_environment_is_told_no_key_by_http(monkeypatch: pytest.MonkeyPatch) -> None:
    with answering((200, {}, b"{}")) as (proxy, overheard), answering((200, {}, b"{}")) as (server, asked):
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
            monkeypatch.setenv(name, proxy)
        monkeypatch.setenv("no_proxy", "")
        KeyedCalls(server, "secret").send("GET", "/x", None, 100)
    assert overheard == []
    assert [key for _, key, _ in asked] == ["Bearer secret"]
