"""Random tokens of browsers and programs, stored only as hashes, and the tokens in forms. Used by station, leaderboard.

Pure, but for `new_token`.
"""

import hashlib
import hmac
import secrets

RANDOM_256_BITS = r"[A-Za-z0-9_-]{43}"  # 256 bits, URL-safe base64


def new_token() -> str:
    """A fresh token of 256 random bits."""
    return secrets.token_urlsafe(32)


def token_hash(token: str) -> str:
    """What is stored of a token: its SHA-256 in hexadecimal. A token is random, so that no slow hash is needed."""
    return hashlib.sha256(token.encode()).hexdigest()


def form_token(secret: str) -> str:
    """The token in a form, which only a page of ours can hold: made of the cookie that the same browser must send."""
    return hmac.new(secret.encode(), b"raceday form", hashlib.sha256).hexdigest()


def is_form_token(token: str, secret: str) -> bool:
    """Does the token in a form belong to the browser's cookie? False without a cookie."""
    return bool(secret) and hmac.compare_digest(token.encode(), form_token(secret).encode())
