"""Standard Webhooks 1.0.0, symmetric part: `v1,` base64 HMAC-SHA256 over `id.timestamp.body`.

The station signs each post of a result (`signed_headers`), the leaderboard checks it (`check`). Written here and not
taken from a library, since time is an argument, several secrets may be valid at once (rotation), and the body stays
bytes; a test compares it with the `standardwebhooks` library.
https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Sequence

from shared.errors import ConfigError, Refused
from shared.units import NS_PER_S

PREFIX = "whsec_"
_TIMESTAMP = re.compile(r"[0-9]{1,12}", re.ASCII)
_SIGNATURES_LIMIT = 16
UNSIGNED = "The headers webhook-id, webhook-timestamp and webhook-signature are needed."


class BadSignature(Refused):
    """The post is not signed with a secret that we know, or its timestamp is too far from now."""

    refusal_kind = "signature"


def parse_secret(text: str) -> bytes:
    """The key in `whsec_` and the base64 of 24 to 64 bytes. Raises ConfigError, never with the secret in it."""
    try:
        key = base64.b64decode(text.strip().removeprefix(PREFIX), validate=True)
    except (binascii.Error, ValueError):
        raise ConfigError(
            f"a webhook secret must be `{PREFIX}` and base64; `raceday leaderboard init` makes one."
        ) from None
    if not 24 <= len(key) <= 64:
        raise ConfigError(f"a webhook secret has {len(key)} bytes; it must have 24 to 64.")
    return key


def sign(key: bytes, webhook_id: str, timestamp_s: int, body: bytes) -> str:
    """The value of `webhook-signature` for one secret: `v1,` and the base64 of the HMAC."""
    signed = f"{webhook_id}.{timestamp_s}.".encode() + body
    return "v1," + base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()


def signed_headers(key: bytes, webhook_id: str, utc_s: float, body: bytes) -> dict[str, str]:
    """The three headers of one attempt to post, made at `utc_s` (seconds since 1970)."""
    return {
        "webhook-id": webhook_id,
        "webhook-timestamp": str(int(utc_s)),
        "webhook-signature": sign(key, webhook_id, int(utc_s), body),
    }


def check(
    keys: Sequence[bytes],
    webhook_id: str | None,
    timestamp: str | None,
    signatures: str | None,
    body: bytes,
    now_utc_ns: int,
    tolerance_s: int,
) -> str:
    """The webhook-id of a genuine post. Raises BadSignature; its sentence tells nothing to one without a secret."""
    if not webhook_id or not timestamp or not signatures:
        raise BadSignature(UNSIGNED)
    if len(webhook_id) > 255 or _TIMESTAMP.fullmatch(timestamp) is None:
        raise BadSignature("The header webhook-id or webhook-timestamp is not well formed.")
    if not _genuine(keys, webhook_id, int(timestamp), signatures, body):
        raise BadSignature("The webhook-signature does not fit: the sender and this leaderboard need the same secret.")
    # Checked last: only one who holds the secret learns what our clock says.
    age_s = now_utc_ns // NS_PER_S - int(timestamp)
    if abs(age_s) > tolerance_s:
        raise BadSignature(
            f"The webhook-timestamp is {abs(age_s)} s {'old' if age_s > 0 else 'ahead'}; at most {tolerance_s} s "
            "are allowed: set the sender's clock."
        )
    return webhook_id


def signers(keys: Sequence[bytes], webhook_id: str, timestamp: str, signatures: str, body: bytes) -> list[bytes]:
    """Those of the keys that signed a post which `check` found genuine."""
    return [key for key in keys if _genuine([key], webhook_id, int(timestamp), signatures, body)]


def _genuine(keys: Sequence[bytes], webhook_id: str, timestamp_s: int, signatures: str, body: bytes) -> bool:
    wanted = [sign(key, webhook_id, timestamp_s, body).encode() for key in keys]
    given = [signature.encode() for signature in signatures.split(" ")[:_SIGNATURES_LIMIT]]
    # Every pair is compared, each in constant time: how long it takes tells nothing.
    fits = [hmac.compare_digest(ours, theirs) for ours in wanted for theirs in given]
    return any(fits)
