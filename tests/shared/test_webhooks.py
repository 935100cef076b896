"""The signature: equal to that of the public library, during rotation of keys, and against forgeries."""

import base64
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from standardwebhooks.webhooks import Webhook

from shared.errors import ConfigError
from shared.webhooks import BadSignature, check, parse_secret, sign

KEY = bytes(range(24))
OTHER = bytes(range(32))
NOW_S = 1_700_000_000
NOW_NS = NOW_S * 10**9


@settings(deadline=None)
@given(st.binary(min_size=24, max_size=64), st.from_regex(r"[a-z0-9.-]{1,30}", fullmatch=True), st.text())
def test_same_as_the_library(key: bytes, webhook_id: str, body: str) -> None:
    theirs = Webhook(key).sign(webhook_id, datetime.fromtimestamp(NOW_S, UTC), body)
    assert sign(key, webhook_id, NOW_S, body.encode()) == theirs
    assert check([key], webhook_id, str(NOW_S), theirs, body.encode(), NOW_NS, 300) == webhook_id


def test_the_library_verifies_ours() -> None:
    now_s = int(datetime.now(UTC).timestamp())
    headers = {
        "webhook-id": "a.1",
        "webhook-timestamp": str(now_s),
        "webhook-signature": sign(KEY, "a.1", now_s, b"{}"),
    }
    assert Webhook(KEY).verify(b"{}", headers) == {}


def test_rotation_any_of_our_secrets_and_any_of_their_signatures() -> None:
    both = "v1a,not-ours " + sign(OTHER, "a.1", NOW_S, b"x") + " " + sign(KEY, "a.1", NOW_S, b"x")
    assert check([KEY], "a.1", str(NOW_S), both, b"x", NOW_NS, 300) == "a.1"
    assert check([b"0" * 24, OTHER], "a.1", str(NOW_S), both, b"x", NOW_NS, 300) == "a.1"


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"webhook_id": None}, "are needed"),
        ({"timestamp": None}, "are needed"),
        ({"signatures": ""}, "are needed"),
        ({"webhook_id": "b.1"}, "does not fit"),
        ({"webhook_id": "x" * 256}, "not well formed"),
        ({"timestamp": str(NOW_S + 1)}, "does not fit"),
        ({"timestamp": "1e9"}, "not well formed"),
        ({"timestamp": "-1"}, "not well formed"),
        ({"timestamp": "9" * 13}, "not well formed"),
        ({"body": b"y"}, "does not fit"),
        ({"signatures": "v1,"}, "does not fit"),
        ({"signatures": "\xff v1,é"}, "does not fit"),
        ({"keys": [OTHER]}, "does not fit"),
        ({"keys": []}, "does not fit"),
        ({"now_utc_ns": NOW_NS + 301 * 10**9}, "301 s old"),
        ({"now_utc_ns": NOW_NS - 301 * 10**9}, "301 s ahead"),
    ],
)
def test_refusals(changes: dict[str, object], sentence: str) -> None:
    values: dict[str, object] = {
        "keys": [KEY],
        "webhook_id": "a.1",
        "timestamp": str(NOW_S),
        "signatures": sign(KEY, "a.1", NOW_S, b"x"),
        "body": b"x",
        "now_utc_ns": NOW_NS,
        "tolerance_s": 300,
    }
    assert check(**values) == "a.1"  # type: ignore[arg-type]
    with pytest.raises(BadSignature, match=sentence):
        check(**(values | changes))  # type: ignore[arg-type]


@settings(deadline=None)
@given(st.integers(0, 10**6), st.binary(min_size=1, max_size=50), st.integers(0, 10**6))
def test_no_changed_byte_passes(at: int, body: bytes, by: int) -> None:
    signature = sign(KEY, "a.1", NOW_S, body)
    changed = bytearray(body)
    changed[at % len(body)] ^= 1 + by % 255
    with pytest.raises(BadSignature):
        check([KEY], "a.1", str(NOW_S), signature, bytes(changed), NOW_NS, 300)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("whsec_" + base64.b64encode(b"short").decode(), "has 5 bytes"),
        ("whsec_" + base64.b64encode(bytes(65)).decode(), "has 65 bytes"),
        ("whsec_no base64!", "must be `whsec_` and base64"),
        ("", "has 0 bytes"),
        ("päss", "must be `whsec_` and base64"),
    ],
)
def test_bad_secrets_are_told_without_telling_them(text: str, sentence: str) -> None:
    with pytest.raises(ConfigError, match=sentence) as caught:
        parse_secret(text)
    assert not text or text.removeprefix("whsec_") not in str(caught.value)
