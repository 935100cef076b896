"""The leaderboard driver against a peer that misbehaves in every way that we know of."""

import datetime as dt
import socket
from collections.abc import Callable

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks.webhooks import Webhook

from shared.errors import ConfigError
from shared.results import Later, Posted, Rejected, encode_result
from station.sync.outbox import AnswerLost
from station.sync.post import MAX_REASON, WebhookLeaderboard, checked_url, key_of, retry_after_s, signed
from tests.sync.peer import SECRET, running_peer
from tests.sync.results import result

IMPATIENT = {"connect_timeout_s": 0.5, "read_timeout_s": 0.5}


def test_a_posted_result_carries_what_standard_webhooks_asks_for() -> None:
    with running_peer([]) as peer:
        board = WebhookLeaderboard(peer.url + "/", SECRET, {})
        assert board.post(result()) == Posted(10_000, 1, 1)
        board.close()
        path, body, headers = peer.seen[0]
    assert path == "/api/v1/results"
    assert body == encode_result(result())
    assert headers["content-type"] == "application/json"
    assert headers["webhook-id"] == "race-1.run-1.0"
    Webhook(SECRET).verify(body, headers)


@given(st.binary(min_size=24, max_size=64), st.text("abc.-1", min_size=1), st.text(), st.integers(0, 4_000_000_000))
def test_our_signature_is_the_librarys(key: bytes, webhook_id: str, text: str, utc_s: int) -> None:
    body = text.encode("utf-8", "replace")
    at = dt.datetime.fromtimestamp(utc_s, tz=dt.UTC)
    theirs = Webhook(key).sign(webhook_id, at, body.decode())
    assert signed(key, webhook_id, utc_s + 0.9, body)["webhook-signature"] == theirs


@pytest.mark.parametrize(
    ("behaviour", "expected"),
    [
        ("500", Later("The leaderboard answered 500: No, for a reason.")),
        ("500 after apply", Later("The leaderboard answered 500: No, for a reason.")),
        ("503 after 30", Later("The leaderboard answered 503: No, for a reason.", 30.0)),
        ("429 after 7", Later("The leaderboard answered 429: No, for a reason.", 7.0)),
        ("408", Later("The leaderboard answered 408: No, for a reason.")),
        ("425", Later("The leaderboard answered 425: No, for a reason.")),
        ("401", Later("The leaderboard answered 401: No, for a reason.")),
        ("404", Rejected("No, for a reason.", 404)),
        ("409", Rejected("No, for a reason.", 409)),
        ("413", Rejected("No, for a reason.", 413)),
        ("422", Rejected("No, for a reason.", 422)),
    ],
)
def test_each_status_has_one_meaning(behaviour: str, expected: Later | Rejected) -> None:
    with running_peer([behaviour]) as peer:
        assert WebhookLeaderboard(peer.url, SECRET, {}).post(result()) == expected


@pytest.mark.parametrize("behaviour", ["reset mid-answer", "slow", "huge", "garbage", "portal"])
def test_an_answer_that_is_not_whole_is_lost(behaviour: str) -> None:
    with running_peer([behaviour]) as peer:
        answer = WebhookLeaderboard(peer.url, SECRET, IMPATIENT).post(result())
        peer.go_on.set()
    assert isinstance(answer, AnswerLost)
    assert "leaderboard's answer" in answer.reason


def test_a_redirect_is_not_followed() -> None:
    with running_peer(["redirect"]) as peer:
        answer = WebhookLeaderboard(peer.url, SECRET, {}).post(result())
        assert len(peer.seen) == 1
    assert isinstance(answer, Rejected)
    assert answer.status == 307


def test_nobody_listening_is_later_and_surely_not_applied(free_port: Callable[[], int]) -> None:
    answer = WebhookLeaderboard(f"http://127.0.0.1:{free_port()}", SECRET, {}).post(result())
    assert isinstance(answer, Later)
    assert not isinstance(answer, AnswerLost)


def test_a_listener_that_never_answers_is_given_up() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        answer = WebhookLeaderboard(f"http://127.0.0.1:{port}", SECRET, IMPATIENT).post(result())
    assert isinstance(answer, AnswerLost)


def test_the_environment_does_not_redirect_results(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    monkeypatch.setenv("no_proxy", "")
    with running_peer([]) as peer:
        assert isinstance(WebhookLeaderboard(peer.url, SECRET, {}).post(result()), Posted)


def test_a_certificate_nobody_trusts_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    board = WebhookLeaderboard("https://127.0.0.1:1", SECRET, {})

    def untrusted(*_: object, **__: object) -> None:
        raise requests.exceptions.SSLError("certificate verify failed")

    monkeypatch.setattr(board._session, "post", untrusted)
    answer = board.post(result())
    assert isinstance(answer, Later)
    assert "certificate" in answer.reason


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b'{"error": "No."}', "No."),
        (b'{"error": 3}', "no reason given."),
        (b"[]", "no reason given."),
        (b"<h1>502</h1>", "no reason given."),
        (b"[" * 100_000, "no reason given."),
        (b'{"error": "a\\u0007\\nb"}', "ab"),
        (b'{"error": "' + b"x" * 999 + b'"}', "x" * MAX_REASON),
    ],
)
def test_a_strangers_reason_is_cut_to_a_sentence(text: bytes, reason: str) -> None:
    from station.sync.post import _reason

    assert _reason(text) == reason


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, None),
        ("", None),
        ("120", 120.0),
        (" 5 ", 5.0),
        ("-5", None),
        ("soon", None),
        ("Thu, 01 Jan 1970 00:02:00 GMT", 20.0),
        ("Thu, 01 Jan 1970 00:01:00 GMT", 0.0),
        ("Fri, 99 Zzz 9999 99:99:99 GMT", None),
    ],
)
def test_retry_after_is_read_either_way(header: str | None, seconds: float | None) -> None:
    assert retry_after_s(header, 100.0) == seconds


@given(st.text())
def test_retry_after_reads_any_text(header: str) -> None:
    seconds = retry_after_s(header, 100.0)
    assert seconds is None or seconds >= 0


@pytest.mark.parametrize("secret", ["", "whsec_", "whsec_!!!", "hunter2", "whsec_" + "QQ==", "whsec_" + "QUFB" * 30])
def test_a_secret_that_is_none_is_refused(secret: str) -> None:
    with pytest.raises(ConfigError, match="secret_file"):
        key_of(secret)


@pytest.mark.parametrize(
    "url", ["", "leaderboard", "ftp://x", "https://", "https://u:p@x", "https://x?y=1", "https://x#z"]
)
def test_an_address_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(ConfigError, match="leaderboard_url"):
        checked_url(url)


def test_an_unknown_option_names_itself() -> None:
    with pytest.raises(ConfigError, match="timeuot"):
        WebhookLeaderboard("https://x", SECRET, {"timeuot": 3})
