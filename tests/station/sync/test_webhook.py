"""The leaderboard driver against a peer that misbehaves in every way that we know of."""

import contextlib
import datetime as dt
import pathlib
import socket
import ssl
import threading
from collections.abc import Callable, Iterator

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks.webhooks import Webhook

from shared.errors import ConfigError
from shared.protocol.results import AnswerLost, PostAccepted, PostDeferred, PostRejected, encode_accepted, encode_result
from shared.web.http_exchange import Reply
from shared.webhooks import signed_headers
from station.sync.verdict import MAX_REASON, contract_sentence, retry_after_s
from station.sync.webhook import WebhookLeaderboard, checked_address, key_of
from tests.station.sync import raw_answers
from tests.station.sync.fault_server import SECRET, running_peer
from tests.station.sync.sample_results import result


@contextlib.contextmanager
def tls_peer(folder: pathlib.Path) -> Iterator[int]:
    """Runs a leaderboard with a self-signed certificate for one post; yields its port."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    began, ends = dt.datetime(2020, 1, 1, tzinfo=dt.UTC), dt.datetime(2100, 1, 1, tzinfo=dt.UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), began, ends)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    (folder / "ca.pem").write_bytes(made.public_bytes(pem))
    bare = serialization.NoEncryption()
    (folder / "key.pem").write_bytes(key.private_bytes(pem, serialization.PrivateFormat.PKCS8, bare))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "ca.pem", folder / "key.pem")
    listening = socket.create_server(("127.0.0.1", 0))
    thread = threading.Thread(target=_answer_once, args=(listening, context))
    thread.start()
    try:
        yield listening.getsockname()[1]
    finally:
        thread.join(10)
        listening.close()


def _answer_once(listening: socket.socket, context: ssl.SSLContext) -> None:
    caller, _ = listening.accept()
    with caller, contextlib.suppress(OSError), context.wrap_socket(caller, server_side=True) as connection:
        connection.recv(65_536)
        well = encode_accepted(PostAccepted(10_000, 1, 1))
        connection.sendall(b"HTTP/1.1 201 Created\r\ncontent-length: %d\r\n\r\n" % len(well) + well)


IMPATIENT = {"connect_timeout_s": 0.5, "read_timeout_s": 0.5}


def test_a_posted_result_carries_what_standard_webhooks_asks_for() -> None:
    with running_peer([]) as peer:
        board = WebhookLeaderboard(peer.url + "/", SECRET, {})
        assert board.post(result()) == PostAccepted(10_000, 1, 1)
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
    assert signed_headers(key, webhook_id, utc_s + 0.9, body)["webhook-signature"] == theirs


@pytest.mark.parametrize(
    ("behaviour", "expected"),
    [
        ("500", PostDeferred("The leaderboard answered 500: The race says no, for a reason.")),
        ("500 after apply", PostDeferred("The leaderboard answered 500: The race says no, for a reason.")),
        ("503 after 30", PostDeferred("The leaderboard answered 503: The race says no, for a reason.", 30.0)),
        ("429 after 7", PostDeferred("The leaderboard answered 429: The race says no, for a reason.", 7.0)),
        ("408", PostDeferred("The leaderboard answered 408: The race says no, for a reason.")),
        ("425", PostDeferred("The leaderboard answered 425: The race says no, for a reason.")),
        ("401", PostDeferred("The leaderboard answered 401: The race says no, for a reason.")),
        ("404", PostRejected("The race says no, for a reason.", 404)),
        ("409", PostRejected("The race says no, for a reason.", 409)),
        ("413", PostRejected("The race says no, for a reason.", 413)),
        ("422", PostRejected("The race says no, for a reason.", 422)),
    ],
)
def test_each_status_has_one_meaning(behaviour: str, expected: PostDeferred | PostRejected) -> None:
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
    assert isinstance(answer, PostDeferred)
    assert "307" in answer.reason
    assert "http://127.0.0.1:1/elsewhere" in answer.reason


def test_nobody_listening_is_later_and_surely_not_applied(free_port: Callable[[], int]) -> None:
    answer = WebhookLeaderboard(f"http://127.0.0.1:{free_port()}", SECRET, {}).post(result())
    assert isinstance(answer, PostDeferred)
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
        assert isinstance(WebhookLeaderboard(peer.url, SECRET, {}).post(result()), PostAccepted)


def test_a_certificate_nobody_trusts_is_one_sentence(tmp_path: pathlib.Path) -> None:
    with tls_peer(tmp_path) as port:
        answer = WebhookLeaderboard(f"https://localhost:{port}", SECRET, IMPATIENT).post(result())
    assert type(answer) is PostDeferred
    assert "certificate" in answer.reason


def test_a_house_ca_is_trusted_when_it_is_named(tmp_path: pathlib.Path) -> None:
    with tls_peer(tmp_path) as port:
        options = {**IMPATIENT, "ca_file": str(tmp_path / "ca.pem")}
        answer = WebhookLeaderboard(f"https://localhost:{port}", SECRET, options).post(result())
    assert answer == PostAccepted(10_000, 1, 1)


def test_a_port_without_tls_is_one_sentence() -> None:
    with running_peer([]) as peer:
        answer = WebhookLeaderboard(peer.url.replace("http:", "https:"), SECRET, IMPATIENT).post(result())
    assert type(answer) is PostDeferred
    assert "does not speak TLS" in answer.reason


@pytest.mark.parametrize(("name", "text"), [("none.pem", None), ("empty.pem", ""), ("odd.pem", "no certificate")])
def test_a_ca_file_that_is_none_is_refused_at_the_start(tmp_path: pathlib.Path, name: str, text: str | None) -> None:
    if text is not None:
        (tmp_path / name).write_text(text)
    with pytest.raises(ConfigError, match="ca_file"):
        WebhookLeaderboard("https://localhost", SECRET, {"ca_file": str(tmp_path / name)})


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b'{"error": "No, not so."}', "No, not so."),
        (b'{"error": 3}', None),
        (b"[]", None),
        (b"<h1>502</h1>", None),
        (b"[" * 100_000, None),
        (b'{"error": "a\\u0007\\nb c"}', "ab c"),
        (b'{"error": "x ' + b"x" * 999 + b'"}', ("x " + "x" * MAX_REASON)[:MAX_REASON]),
    ],
)
def test_a_strangers_reason_is_cut_to_a_sentence(text: bytes, reason: str | None) -> None:
    assert contract_sentence(Reply(422, {}, text)) == reason


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, None),
        ("", None),
        ("120", 120.0),
        (" 5 ", 5.0),
        ("\x1f5", None),
        ("\u00b2", None),
        ("9" * 5000, None),
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
    "url",
    [
        *("", "leaderboard", "ftp://x", "https://", "https://u:p@x", "https://x?y=1", "https://x#z", "https://["),
        *("https://x:port", "https://x:0", "https://x:99999", "https://x/a b", "https://x/\r\nevil: 1"),
        "https://h\u00f6tel",
    ],
)
def test_an_address_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(ConfigError, match="leaderboard_url"):
        checked_address(url)


@pytest.mark.parametrize(
    ("url", "may"),
    [
        ("http://127.0.0.1:8090", True),
        ("http://127.8.8.8", True),
        ("http://[::1]:80/x", True),
        ("http://localhost", True),
        ("http://192.168.1.5:8090", False),
        ("http://leaderboard.example", False),
        ("http://localhost.example", False),
        ("http://[2001:db8::1]", False),
        ("http://0.0.0.0", False),
    ],
)
def test_http_leaves_this_machine_only_by_a_setting(url: str, may: bool) -> None:
    if may:
        checked_address(url)
    else:
        with pytest.raises(ConfigError, match="allow_plain_http = true"):
            WebhookLeaderboard(url, SECRET, {})
    WebhookLeaderboard(url, SECRET, {"allow_plain_http": True})


def test_an_unknown_option_names_itself() -> None:
    with pytest.raises(ConfigError, match="timeuot"):
        WebhookLeaderboard("https://x", SECRET, {"timeuot": 3})


def test_whatever_comes_back_is_an_answer_that_can_be_kept() -> None:
    """A small part of `./dev bench raw-answers`."""
    kinds = raw_answers.run(1_000, 7, raw_answers.AnswerChecker())
    assert {"AnswerLost", "PostDeferred", "PostAccepted", "PostRejected"} <= set(kinds)


@pytest.mark.parametrize("manner", ["silent", "slow", "endless"])
def test_the_deadline_is_for_the_whole_answer(manner: str) -> None:
    answerer = raw_answers.Answerer()
    answerer.start()
    answerer.next = b"HTTP/1.1 201 Created\r\n" + b"a: b\r\n" * 2000, manner
    options = {"connect_timeout_s": 5, "read_timeout_s": 0.3}
    answer = WebhookLeaderboard(f"http://127.0.0.1:{answerer.port}", SECRET, options).post(result())
    answerer.listening.close()
    assert isinstance(answer, AnswerLost)
